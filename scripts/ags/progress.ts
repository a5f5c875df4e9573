const width = 30;

/** A bar on stderr that redraws one line, and nothing at all where stderr is no terminal. */
export function progress(label: string, total: number): { at(done: number): void; end(): void } {
  if (!Deno.stderr.isTerminal() || total === 0) return { at: () => {}, end: () => {} };
  const encoder = new TextEncoder();
  const write = (text: string) => Deno.stderr.writeSync(encoder.encode(text));
  return {
    at(done) {
      const share = Math.min(1, done / total);
      const full = Math.round(share * width);
      write(
        `\r${label} ${"█".repeat(full)}${"·".repeat(width - full)} ${
          Math.floor(share * 100)
        } % of ${total}`,
      );
    },
    end: () => write("\r\x1b[2K"),
  };
}
