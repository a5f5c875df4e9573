// What a run holds and gives back: the server, its databases, the processes of the contestants. Whatever ends the run,
// a signal or the clock included, everything that was opened is closed, newest first.
import { startContestant } from "./contestants/contestant.mjs";
import { connect, openDatabases } from "./server/databases.mjs";
import { durabilityOf, durabilityProblem } from "./server/durability.mjs";
import { startServer } from "./server/own-server.mjs";
import { findPrograms } from "./server/programs.mjs";

const agsModule = new URL("contestants/ags.mjs", import.meta.url);

export function openSession(options, progress) {
  const closers = [];
  const contestants = new Map();
  let ending = null;
  const atEnd = (close) => closers.push(close);

  function contestant(name, module) {
    if (ending !== null) throw new Error(ending);
    if (!contestants.has(name)) {
      const started = startContestant(module);
      contestants.set(name, started);
      atEnd(() => started.stop());
    }
    return contestants.get(name);
  }

  return {
    options,
    atEnd,
    contestant,
    step: (what) => progress.step(what),
    ags: () => contestant("ags", agsModule),
    ending: () => ending,
    /** Contestants are ended at once, so that whoever waits for one hears of it. */
    end(reason) {
      ending ??= reason;
      return Promise.all([...contestants.values()].map((one) => one.stop()));
    },
    /** Between figures nobody keeps a process: the next figure starts from none. */
    async rest() {
      for (const one of contestants.values()) await one.stop();
      contestants.clear();
    },
    async close() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

/** The server to measure on, what it is, and whether a figure of it means anything. Throws a sentence where none does. */
export async function openServer(session) {
  const given = process.env.DATABASE_URL;
  let url = given;
  let how = "the server of DATABASE_URL";
  if (!given) {
    const { programs, problem } = findPrograms();
    if (problem) throw new Error(problem);
    const server = await startServer(programs);
    session.atEnd(() => server.stop());
    url = server.url;
    how = `a server of the bench's own${
      programs.root === "/" ? "" : ", from the tree of scripts/ci/tree.sh"
    }`;
  }
  const sql = connect(url);
  try {
    const [{ version, vector, preloaded }] = await sql.unsafe(
      `select current_setting('server_version') as version,
         exists (select 1 from pg_available_extensions where name = 'vector') as vector,
         current_setting('shared_preload_libraries') as preloaded`,
    );
    if (!vector) throw new Error(`PostgreSQL ${version} has no pgvector: our schema needs it`);
    const durability = await durabilityOf(sql);
    const problem = durabilityProblem(durability);
    if (problem) throw new Error(problem);
    const databases = openDatabases(url);
    session.atEnd(() => databases.close());
    return {
      databases,
      durability,
      server: { how, version, preloaded: preloaded || null },
    };
  } finally {
    await sql.end();
  }
}
