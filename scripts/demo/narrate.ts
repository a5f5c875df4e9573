/** One line per thing that happened; colours only where a person looks. */
export interface Narrator {
  title(text: string): void;
  hop(name: string, ms: number | null, what: string): void;
  note(text: string): void;
  quote(text: string): void;
  table(rows: string[][]): void;
}

const width = 98;

export function narrator(write: (line: string) => void, coloured: boolean): Narrator {
  const paint = (code: number, text: string) => coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
  return {
    title: (text) => write(`\n${paint(1, text)}`),
    hop: (name, ms, what) => {
      const took = ms === null ? "" : `${Math.round(ms)} ms`;
      write(`  ${paint(32, "●")} ${name.padEnd(9)} ${took.padStart(8)}  ${what}`);
    },
    note: (text) => write(`    ${paint(2, text)}`),
    quote: (text) => {
      for (const line of text.split("\n")) write(`    ${paint(36, "│")} ${line.slice(0, width - 6)}`);
    },
    table: (rows) => {
      const columns = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column].length))) ?? [];
      for (const row of rows) {
        write(`    ${row.map((cell, column) => cell.padEnd(columns[column])).join("  ").slice(0, width - 4).trimEnd()}`);
      }
    },
  };
}
