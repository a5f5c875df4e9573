import { Cron } from "croner";
import { hinter } from "../../functions/_database/hinter.ts";
import { readEnvironment } from "../../functions/_edge/environment.ts";
import type { Environment } from "../../functions/_edge/environment.ts";
import { loadBundledPolicy } from "../../functions/_policy/bundled-policy.ts";
import { reportBundles } from "./bundles.ts";
import { commandsOf } from "./commands.ts";
import { openEmbedded } from "./embedded.ts";
import { functionsOf, type Handler, workersOf } from "./functions.ts";
import { openNative } from "./native.ts";
import { type Lock, lockDirectory } from "./lock.ts";
import { loadSecrets, type Secrets, withSecrets } from "./secrets.ts";
import { Sentence } from "./sentence.ts";
import { requireLeastPrivilege, serve } from "./server.ts";
import { listen } from "./socket.ts";
import { servePages } from "./pages.ts";
import type { Store } from "./store.ts";
import { pollTelegram } from "./telegram-polling.ts";
import { ticker } from "./ticker.ts";
import { wire, type Wiring } from "./wiring.ts";

export interface StackOptions {
  /** Reads a variable; what it does not have is generated and kept in DATA_DIR. */
  environment: (name: string) => string | undefined;
  dataDir: string;
  log: (line: string) => void;
  print: (text: string) => void;
  /** False where nobody looks, as in the demo. */
  servesPages?: boolean;
}

export interface Stack {
  url: string;
  environment: Environment;
  secrets: Secrets;
  store: Store;
  lock: Lock;
  wiring: Wiring;
  /** True where this process asks Telegram for updates. */
  polls: boolean;
  /** Where the operators look; null where they look elsewhere, or cannot. */
  pages: string | null;
  /** Takes nothing new, ends what is under way, gives everything back. */
  stop(): Promise<void>;
}

/** Everything that `npm start` runs, in order; what was opened is closed again when a later part fails. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dataDir } = options;
  const closing: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const lock = await lockDirectory(dataDir, "npm start");
    closing.push(() => lock.release());
    const secrets = await loadSecrets(dataDir, options.environment);
    const environment = environmentOf(withSecrets(options.environment, secrets), options.log);
    const store = await openStore(environment, dataDir);
    closing.push(() => store.close());
    await requireLeastPrivilege(store);
    const policy = await loadBundledPolicy();
    const wiring = wire({ ...options, environment, database: store.database, policy });
    closing.push(() => wiring.redis?.close());
    await activateFirstPolicy(wiring, store, options.print);
    const report = reportBundles(wiring);
    await report();
    // The lock is ours, so whatever was leased belongs to a process that is gone; nobody has to wait out its lease.
    if (store.kind === "embedded") await store.administer("release_leases", { p_actor: "start" });

    const tick = ticker(workersOf(wiring), (name, error) => {
      options.log(JSON.stringify({ function: name, outcome: "error", error: String(error) }));
    });
    closing.push(() => tick.stop());
    // Workers of this database in other processes hear of it, too.
    const hint = store.kind === "postgres" ? hinter(store.database) : () => undefined;
    const nudge = () => {
      tick.nudge();
      hint();
    };
    const functions = functionsOf(wiring, nudge);
    const server = serve(functions, environment.port);
    closing.push(() => server.close());
    const socket = await listen(
      dataDir,
      commandsOf({ wiring, store, dataDir, functions, nudge }),
    );
    closing.push(() => socket.close());
    // The rows say what is due (public.jobs, the outbox, lapsed leases); the clock only asks.
    const clock = new Cron("* * * * * *", { protect: true }, async () => {
      await report();
      tick.nudge();
    });
    closing.push(() => clock.stop());
    const pages = await servePages(store, options, closing);
    const polls = startPolling(wiring, functions, closing, options.print);
    tick.nudge();
    return {
      url: `http://127.0.0.1:${server.port}`,
      environment,
      secrets,
      store,
      lock,
      wiring,
      polls,
      pages,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A wrong value stops the boot with a sentence that says what to set. */
export function environmentOf(
  get: (name: string) => string | undefined,
  warn: (line: string) => void,
): Environment {
  const reading = readEnvironment(get);
  if (!reading.ok) throw new Sentence(reading.problems.map((problem) => `${problem}.`).join("\n"));
  for (const warning of reading.warnings) warn(`${warning}.`);
  return reading.environment;
}

export const openStore = (environment: Environment, dataDir: string): Promise<Store> =>
  environment.databaseUrl === null ? openEmbedded(dataDir) : openNative(environment.databaseUrl);

/** A new database has no policy and would refuse everything; an old one keeps the one it has, until a person says so. */
async function activateFirstPolicy(
  { policy }: Wiring,
  store: Store,
  say: (text: string) => void,
): Promise<void> {
  if (!policy.ok) return;
  const { policy_sha256 } = await store.database.call<{ policy_sha256: string | null }>("health");
  if (policy_sha256 !== null) return;
  await store.administer("activate_policy", {
    p_text: policy.text,
    p_body: policy.policy,
    p_actor: "first-start",
  });
  say(
    `The first policy is in force: policies/policy.yaml, ${
      policy.sha256.slice(0, 12)
    }. From here on a task changes it.`,
  );
}

function startPolling(
  wiring: Wiring,
  functions: Map<string, Handler>,
  closing: (() => Promise<void> | void)[],
  say: (text: string) => void,
): boolean {
  const { botToken, apiRoot, mode } = wiring.environment.telegram;
  const webhook = functions.get("telegram-webhook");
  if (botToken === null || mode === "webhook" || webhook === undefined) return false;
  const stopping = new AbortController();
  const polling = pollTelegram({
    api_root: apiRoot,
    token: botToken,
    webhook,
    secret: wiring.webhook_secret,
    database: wiring.database,
    say,
    signal: stopping.signal,
  });
  polling.catch((error) => say(`Polling ended: ${error instanceof Error ? error.message : error}`));
  closing.push(async () => {
    stopping.abort();
    await polling.catch(() => {
      // Said above, when it happened.
    });
  });
  return true;
}
