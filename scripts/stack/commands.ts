import { fromBase64 } from "../../functions/_edge/base64.ts";
import { canary } from "./canary.ts";
import { sayLocally } from "./local-message.ts";
import type { Handler } from "./functions.ts";
import { Sentence } from "./sentence.ts";
import type { Commands } from "./socket.ts";
import type { Store } from "./store.ts";
import type { Wiring } from "./wiring.ts";

export interface CommandDeps {
  wiring: Wiring;
  store: Store;
  dataDir: string;
  functions: Map<string, Handler>;
  nudge: () => void;
}

/** What the operators' CLI may ask of the process that holds the database: over the socket, or in its own process. */
export function commandsOf({ wiring, store, dataDir, functions, nudge }: CommandDeps): Commands {
  return {
    /** Postgres decides which function an administrator may call. */
    administer: async ({ name, args }) => {
      const result = await store.administer(String(name), Object(args) as Record<string, unknown>);
      nudge();
      return result;
    },
    /** The path of a copy that the asker reads and removes. */
    snapshot: async ({ compression }) => {
      const dump = await store.snapshot(compression === "gzip" ? "gzip" : "none");
      if (dump === null) throw new Sentence("This database has no snapshots.");
      await Deno.mkdir(`${dataDir}/snapshots`, { recursive: true, mode: 0o700 });
      const path = `${dataDir}/snapshots/${crypto.randomUUID()}.tar`;
      await Deno.writeFile(path, dump.stream(), { mode: 0o600, createNew: true });
      return path;
    },
    /** What a member would write to the bot, where there is none. */
    say: async ({ text, as }) => {
      const handled = await sayLocally(wiring, store, { text: String(text), as: String(as) });
      nudge();
      return handled;
    },
    /** Under the key of the process whose functions will open it, which need not be the asker's. */
    seal_seed: async ({ member_id, seed }) => {
      if (wiring.seeds === null) throw new Sentence("SECOND_FACTOR_KEY is not set.");
      return await wiring.seeds.seal(String(member_id), fromBase64(String(seed)));
    },
    canary: ({ tool }) => canary(wiring.environment, store.database, String(tool)),
    running: () => Promise.resolve(true),
    status: async ({ id }) => await store.database.call("task_status", { p_id: String(id) }),
    health: async () => {
      const handler = functions.get("dags-domain-health");
      const response = await handler?.(
        new Request("http://localhost/functions/v1/dags-domain-health", {
          headers: { authorization: `Bearer ${wiring.service_token}` },
        }),
      );
      return await response?.json();
    },
  };
}
