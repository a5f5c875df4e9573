import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { DatabaseMaker, FaultedDatabase } from "./faulted-database.ts";
import type { History } from "./history.ts";
import { findTree, PostgresServer } from "./postgres-server.ts";
import { redisInstalled } from "../../tests/support/redis-server.ts";
import type { Need } from "./row.ts";
import { dice } from "./seed.ts";

const run = promisify(execFile);

export interface SceneOptions {
  seed: number;
  /** Multiplies how often each fault is injected. */
  scale: number;
  history: History;
  log: (text: string) => void;
}

/** What the rows of one run share: servers, databases, chance, history; and all that has to be put away at the end. */
export class Scene {
  readonly seed: number;
  readonly scale: number;
  readonly history: History;
  readonly log: (text: string) => void;
  /** Databases that the invariants are run on after this row. */
  readonly watched = new Set<FaultedDatabase>();
  /** Words that must not be found anywhere after this row. */
  readonly canaries: string[] = [];
  /** What left the house in this row: logs, messages. */
  readonly said: { place: string; text: string }[] = [];
  random: () => number;
  /** Set when everything is put away: no row begins after that. */
  closed = false;
  inRow = false;
  #server: PostgresServer | null = null;
  #maker: DatabaseMaker | null = null;
  #scratch: string | null = null;
  #tree: Awaited<ReturnType<typeof findTree>> | null = null;
  readonly #rowEnds: (() => unknown)[] = [];
  readonly #ends: (() => unknown)[] = [];

  constructor({ seed, scale, history, log }: SceneOptions) {
    this.seed = seed;
    this.scale = scale;
    this.history = history;
    this.log = log;
    this.random = dice(seed);
  }

  begin(row: number): void {
    this.inRow = true;
    this.random = dice(this.seed * 1000 + row);
    this.history.begin(row);
    this.canaries.length = 0;
    this.said.length = 0;
  }

  /** How often, by default and at this scale. */
  times(usual: number): number {
    return Math.max(1, Math.round(usual * this.scale));
  }

  async scratch(): Promise<string> {
    return this.#scratch ??= await mkdtemp(join(tmpdir(), "ags-faults-"));
  }

  /** Why this machine cannot give it, or null. */
  async missing(need: Need): Promise<string | null> {
    switch (need) {
      case "postgres":
        return process.env.DATABASE_URL ? null : await this.#treeMissing();
      case "own postgres":
        return await this.#treeMissing();
      case "mount":
        return await this.#treeMissing() ?? await this.#mountMissing();
      case "redis":
        return redisInstalled ? null : "redis-server is not installed";
    }
  }

  async #treeMissing(): Promise<string | null> {
    this.#tree ??= await findTree(await this.scratch());
    return "missing" in this.#tree ? this.#tree.missing : null;
  }

  async #mountMissing(): Promise<string | null> {
    const { message } = await this.mounted(1, join(await this.scratch(), "mount")).then(
      ({ unmount }) => unmount().then(() => ({ message: null })),
      (error: Error) => error,
    );
    return message === null ? null : `nothing can be mounted: ${message.split("\n").join(" ")}`;
  }

  /** A file system of so many megabytes, in memory. */
  async mounted(megabytes: number, directory: string): Promise<{ unmount: () => Promise<void> }> {
    await mkdir(directory, { recursive: true });
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "ags-faults", directory]);
    return {
      unmount: async () => {
        // A server that is on its way out, or was on its way in, holds the files for a moment longer.
        for (let tries = 0; tries < 20; tries++) {
          if (await run("umount", [directory]).then(() => true, () => false)) break;
          if (tries === 19) await run("umount", ["--lazy", directory]);
          await sleep(100);
        }
        await rm(directory, { recursive: true, force: true });
      },
    };
  }

  async tree(): Promise<string> {
    const missing = await this.#treeMissing();
    if (this.#tree === null || "missing" in this.#tree) throw new Error(missing ?? "no tree");
    return this.#tree.tree;
  }

  /** The server of this run; a row that stopped it has started it again. */
  async server(): Promise<PostgresServer> {
    if (this.#server === null) {
      this.#server = await PostgresServer.create(await this.tree(), {
        made: (server) => this.onEnd(() => server.remove()),
      });
    }
    if (!this.#server.runs) await this.#server.start();
    return this.#server;
  }

  async maker(): Promise<DatabaseMaker> {
    if (this.#maker === null) {
      const given = await this.#treeMissing() === null ? null : process.env.DATABASE_URL;
      const maker = new DatabaseMaker(given ?? (await this.server()).url);
      this.#maker = maker;
      this.onEnd(() => maker.close());
    } else if (await this.#treeMissing() === null) await this.server();
    return this.#maker;
  }

  /** A database of this row's own, on which the invariants must hold afterwards. */
  async database(): Promise<FaultedDatabase> {
    return this.watch(await (await this.maker()).make());
  }

  async bareDatabase(): Promise<FaultedDatabase> {
    return this.watch(await (await this.maker()).makeBare());
  }

  watch(database: FaultedDatabase, maker = this.#maker): FaultedDatabase {
    this.watched.add(database);
    this.onRowEnd(async () => {
      this.watched.delete(database);
      await maker?.drop(database);
    });
    return database;
  }

  /** Done after the row and its invariants, the last first, whatever happened. */
  onRowEnd(end: () => unknown): void {
    this.#rowEnds.push(end);
  }

  onEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  async endRow(): Promise<void> {
    this.inRow = false;
    await this.#unwind(this.#rowEnds);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.#unwind(this.#rowEnds);
    // A row that is cut short may just have opened something more.
    await sleep(this.inRow ? 500 : 0);
    await this.#unwind(this.#rowEnds);
    await this.#unwind(this.#ends);
    if (this.#scratch !== null) await rm(this.#scratch, { recursive: true, force: true });
  }

  /** One that cannot be put away must not keep the others. */
  async #unwind(ends: (() => unknown)[]): Promise<void> {
    for (let end = ends.pop(); end; end = ends.pop()) {
      try {
        await end();
      } catch (error) {
        this.log(`could not be put away: ${error}`);
      }
    }
  }
}
