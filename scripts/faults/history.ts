import { mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Jepsen's four words: what was asked, and what came of it. `info` is an outcome that nobody saw. */
export type Kind = "invoke" | "ok" | "fail" | "info";

export interface Entry {
  row: number;
  at: string;
  kind: Kind;
  process: string;
  /** `accept` puts something in, `effect` is something that came out, `found` what was there at the end. */
  op: string;
  value: string;
  detail?: string;
}

/** One line of JSON per entry, written as it happens, so that a run which is cut short has left its history. */
export class History {
  readonly entries: Entry[] = [];
  readonly #file: number | null;
  #row = 0;

  constructor(readonly path: string | null = null) {
    if (path === null) {
      this.#file = null;
      return;
    }
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, "a", 0o600);
  }

  begin(row: number): void {
    this.#row = row;
  }

  of(row: number): Entry[] {
    return this.entries.filter((entry) => entry.row === row);
  }

  add(kind: Kind, process: string, op: string, value: string, detail?: string): void {
    const entry: Entry = {
      row: this.#row,
      at: new Date().toISOString(),
      kind,
      process,
      op,
      value,
      ...detail === undefined ? {} : { detail },
    };
    this.entries.push(entry);
    if (this.#file !== null) writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}
