import { loadBundledPolicy } from "../../functions/_policy/bundled-policy.ts";
import { postgresDatabase } from "../../functions/_database/postgres-database.ts";
import { type CommandDeps, commandsOf } from "../stack/commands.ts";
import { exists, openEmbedded } from "../stack/embedded.ts";
import { functionsOf } from "../stack/functions.ts";
import { lockDirectory, unusable } from "../stack/lock.ts";
import { administerNative } from "../stack/native.ts";
import { loadSecrets, withSecrets } from "../stack/secrets.ts";
import { Sentence } from "../stack/sentence.ts";
import { type Ask, askStack } from "../stack/socket.ts";
import { environmentOf } from "../stack/stack.ts";
import type { Store } from "../stack/store.ts";
import { wire } from "../stack/wiring.ts";

const variable = (name: string) => Deno.env.get(name);

export const dataDir = (): string => variable("DATA_DIR") ?? ".local";
export const databaseUrl = (): string | null => variable("DATABASE_URL")?.trim() || null;

/** Who the audit rows name: whoever has this terminal. */
export const actor = (): string => `cli:${variable("USER") || variable("LOGNAME") || "someone"}`;

/**
 * Asks whoever holds the database. With DATABASE_URL this process connects itself; else the running stack is asked
 * through its socket, and where none runs the directory is opened here, under the same lock.
 */
export async function ask<T>(command: string, args: Record<string, unknown> = {}): Promise<T> {
  const url = databaseUrl();
  if (url === null) {
    const told = await askRunning<T>({ command, ...args });
    if (told !== null) return told;
  }
  const store = url === null ? await openHere() : nativeStore(url);
  try {
    const commands = commandsOf(await commandDeps(store));
    return await commands[command]({ command, ...args }) as T;
  } finally {
    await store.close();
  }
}

/** True where a stack answers on this directory's socket. */
export const isRunning = async (): Promise<boolean> =>
  await askRunning({ command: "running" }) !== null;

/** The running stack's answer, or null where none runs. */
async function askRunning<T>(question: Ask): Promise<T | null> {
  try {
    return await askStack<T>(dataDir(), question);
  } catch (error) {
    if (error instanceof Sentence) throw error;
    throw unusable(dataDir(), error);
  }
}

/** A question makes no database: an answer from a new one would be about nothing. */
async function openHere(): Promise<Store> {
  if (!await exists(`${dataDir()}/db`) || await exists(`${dataDir()}/db.unfinished`)) {
    throw new Sentence(
      `Nothing is here yet (${dataDir()}): npm start, or set DATA_DIR or DATABASE_URL to where the platform is.`,
    );
  }
  const lock = await lockDirectory(dataDir(), "npm run ags");
  try {
    const store = await openEmbedded(dataDir());
    return {
      ...store,
      async close() {
        await store.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Without migrating: the CLI works on the database as it is. */
function nativeStore(url: string): Store {
  const database = postgresDatabase(url, { max: 1 });
  return {
    kind: "postgres",
    database,
    applied: [],
    books: null,
    administer: (name, args) => administerNative(url, name, args),
    snapshot: () => Promise.resolve(null),
    close: () => database.close(),
  };
}

async function commandDeps(store: Store): Promise<CommandDeps> {
  // With a Postgres of your own nothing has made the directory yet, and the secrets are kept in it.
  await Deno.mkdir(dataDir(), { recursive: true, mode: 0o700 }).catch((error) => {
    throw unusable(dataDir(), error);
  });
  const secrets = await loadSecrets(dataDir(), variable);
  const wiring = wire({
    environment: environmentOf(withSecrets(variable, secrets), () => {}),
    database: store.database,
    policy: await loadBundledPolicy(),
    log: () => {},
    print: console.error,
  });
  const nudge = () => {};
  return { wiring, store, dataDir: dataDir(), nudge, functions: functionsOf(wiring, nudge) };
}

/** A command that the database refused: the answer names the code, and the exit code is not 0. */
export function unlessRefused<T>(answer: T): T {
  const { refused, reason } = Object(answer) as { refused?: string; reason?: string };
  if (refused) throw new Sentence(reason ? `${refused}: ${reason}` : `Refused: ${refused}`);
  return answer;
}
