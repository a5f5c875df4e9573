/** A bar on a terminal, a line a step anywhere else. `stream` is stderr where stdout carries the JSON. */
export function openProgress(stream, figures) {
  const tty = Boolean(stream.isTTY);
  let at = 0;
  let name = "";
  const clear = () => tty && stream.write("\r\x1b[2K");
  const bar = () => {
    const width = 24;
    const full = Math.round(width * at / Math.max(1, figures));
    return `[${"█".repeat(full)}${"·".repeat(width - full)}] ${at}/${figures}`;
  };
  return {
    figure(next) {
      name = next;
      this.step("");
    },
    step(what) {
      const text = [name, what].filter(Boolean).join(": ");
      if (tty) stream.write(`\r\x1b[2K${bar()} ${text}`.slice(0, (stream.columns ?? 80) + 5));
      else if (what !== "") stream.write(`  ${text}\n`);
    },
    done() {
      at++;
      clear();
    },
    line(text) {
      clear();
      stream.write(`${text}\n`);
    },
    close: clear,
  };
}
