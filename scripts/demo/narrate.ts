/** One line per thing that happened; colours only where a person looks. */
export interface Narrator {
  title(text: string): void;
  hop(name: string, what: string): void;
  said(who: string, what: string): void;
  note(text: string): void;
  quote(lines: string[]): void;
  table(rows: string[][]): void;
}

const width = 100;

export function narrator(write: (line: string) => void, coloured: boolean): Narrator {
  const paint = (code: number, text: string) => coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
  const cut = (text: string, room: number) =>
    text.length > room ? `${text.slice(0, room - 1)}…` : text;
  return {
    title: (text) => write(`\n${paint(1, cut(text, width))}`),
    hop: (name, what) => write(`  ${paint(32, "●")} ${name.padEnd(9)} ${cut(what, width - 14)}`),
    said: (who, what) => write(`      ${paint(2, who.padEnd(5))} ${cut(what, width - 12)}`),
    note: (text) => write(`    ${paint(2, cut(text, width - 4))}`),
    quote: (lines) =>
      lines.forEach((line) => write(`      ${paint(36, "│")} ${cut(line, width - 8)}`)),
    table: (rows) => {
      const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i].length))) ?? [];
      for (const row of rows) {
        const line = row.map((text, i) => text.padEnd(widths[i])).join("  ").trimEnd();
        write(`    ${cut(line, width - 4)}`);
      }
    },
  };
}
