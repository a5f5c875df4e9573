import { consoleChannel } from "../../functions/_channels/console.ts";
import { telegramChannel } from "../../functions/_channels/telegram.ts";
import { embeddedDatabase } from "../../functions/_database/embedded-database.ts";
import { Refusal } from "../../functions/_domain/refusal.ts";
import { watched } from "../../functions/_edge/door.ts";
import { tick } from "../../functions/communicator/handler.ts";
import { deliverNotifications } from "../../functions/communicator/notifications.ts";
import { decisionKeys } from "../../functions/telegram-webhook/decision.ts";
import { handle } from "../../functions/telegram-webhook/handler.ts";
import { BotApi } from "../support/bot-api.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { activate, addMember, policySha256 } from "../support/line.ts";
import { freely } from "../support/outside.ts";
import type { Crash } from "./act.ts";
import { members, publicChat } from "./cast.ts";
import { Authenticators, deviceKey } from "./authenticators.ts";
import { CrashingDatabase } from "./crashing-database.ts";
import type { Wire } from "./planted-fault.ts";

export const secret = "hook-Secret_of_the_simulator";
const signingKey = "c2ltdWxhdG9yLXNpbXVsYXRvci1zaW11bGF0b3ItMzI=";
const oldPolicy = "0".repeat(64);
const firstDay = Date.parse("2027-01-01T10:00:00Z");

/**
 * The system under test: one database, and processes that die and start again. The door and the outbox are the
 * product's own; between them and the people stand only HTTP and what a test plants.
 */
export class System {
  /** The bot's name as this process last heard it; null when it asked and heard nothing. */
  heardName: string | null | undefined;
  #seconds = 0;
  #play = 0;
  #door!: (request: Request) => Promise<Response>;
  #doorDatabase!: CrashingDatabase;
  #outboxDatabase!: CrashingDatabase;
  #isConnected = true;

  private constructor(
    readonly db: TestDatabase,
    readonly api: BotApi,
    readonly clock: FrozenClock,
    private wire: Wire,
    readonly authenticators: Authenticators,
  ) {}

  static async start(): Promise<System> {
    const [db, api] = await Promise.all([openTestDatabase(), BotApi.start()]);
    await activate(db);
    // Somebody always stays, so that nobody on stage is the last owner.
    await db.as("administrator", "select api.add_member($1, 'test')", [
      JSON.stringify({ role: "owner", name: "root" }),
    ]);
    for (const { name, role, id, person } of members) {
      await addMember(db, role!, name, id, person === name ? undefined : person);
    }
    const clock = await freezeClock(db, new Date(firstDay).toISOString());
    const authenticators = new Authenticators(db);
    for (const { name } of members.filter((one) => one.name !== "anon")) {
      await authenticators.enroll(name);
    }
    const system = new System(db, api, clock, {}, authenticators);
    await system.restart("right");
    await system.settle();
    system.forget();
    return system;
  }

  get now(): Date {
    return new Date(firstDay + this.#play * 2 * 86_400_000 + this.#seconds * 1000);
  }

  get dayBegan(): Date {
    return new Date(firstDay + this.#play * 2 * 86_400_000);
  }

  get seconds(): number {
    return this.#seconds;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Every play has days of its own: what waited from the last one has lapsed. */
  async nextDay(): Promise<number> {
    this.#play += 1;
    this.#seconds = 0;
    await this.clock.set(this.now.toISOString());
    return this.#play;
  }

  async advance(seconds: number): Promise<void> {
    this.#seconds += seconds;
    await this.clock.set(this.now.toISOString());
  }

  sweep = (): Promise<unknown> => this.db.database.call("sweep");

  /** Puts something between the parts, from the next start on. */
  async rewire(wire: Wire): Promise<void> {
    this.wire = wire;
    await this.restart("right");
  }

  /** What two people would do: effects may start again. */
  resume = (): Promise<unknown> =>
    this.db.owner("update public.emergency_stops set state = 'running' where state <> 'running'");

  /** New processes over the same data: nothing that a process had in memory is left. */
  async restart(bundle: "right" | "old"): Promise<void> {
    const session = {
      query: <T>(text: string, params?: unknown[]) => this.db.pg.query<T>(text, params),
      exec: (text: string) => this.db.pg.exec(text),
      close: () => Promise.resolve(),
    };
    this.#doorDatabase = new CrashingDatabase(await embeddedDatabase(session));
    this.#outboxDatabase = new CrashingDatabase(await embeddedDatabase(session));
    const telegram = this.#telegram();
    const deps = {
      database: this.#doorDatabase,
      secret,
      username: async () => this.heardName = await telegram.username(),
      channel: "telegram" as const,
      policy_sha256: bundle === "right" ? policySha256 : oldPolicy,
      vip_chat_id: null,
      ...decisionKeys({ signing: signingKey, secondFactor: deviceKey }),
      now: () => this.now,
    };
    this.#door = watched(
      "telegram-webhook",
      { log: () => {}, now: () => this.now },
      (request) => handle(request, deps),
    );
  }

  /** One request at the webhook. `died`: the process was gone before it could answer. */
  async knock(body: string, presented: string | null, crash: Crash = null) {
    this.heardName = undefined;
    this.#doorDatabase.plan(crash);
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (presented !== null) headers["x-telegram-bot-api-secret-token"] = presented;
    const request = new Request("http://localhost/functions/v1/telegram-webhook", {
      method: "POST",
      headers: this.wire.headers?.(headers, secret) ?? headers,
      body: this.wire.body?.(body) ?? body,
    });
    const response = await this.#door(request);
    return { status: response.status, text: await response.text() };
  }

  /** Once through the outbox; with a crash the process dies in the middle and what it held stays leased. */
  async deliver(crash: Crash = null): Promise<void> {
    this.#outboxDatabase.plan(crash);
    try {
      await deliverNotifications(this.#outbox(), () => true);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    this.#outboxDatabase.plan(null);
  }

  /** Works the outbox until it is empty, however long what it holds is leased or paused. */
  async settle(): Promise<boolean> {
    for (let round = 0; round < 20; round++) {
      const sent = await deliverNotifications(this.#outbox(), () => true);
      const [{ left }] = await this.db.owner<{ left: number }>(
        "select count(*)::int as left from public.notifications where status in ('queued', 'sending')",
      );
      if (left === 0) return true;
      if (sent === 0) await this.advance(61);
    }
    return false;
  }

  /** What was said so far is no longer asked about. */
  forget(): void {
    this.api.chats.messages.length = 0;
    this.api.chats.removed.length = 0;
    this.api.calls.length = 0;
  }

  publish = (): Promise<unknown> => tick(this.#outbox());

  async disconnect(): Promise<void> {
    if (this.#isConnected) await this.api.refuseConnections();
    this.#isConnected = false;
  }

  async reconnect(): Promise<void> {
    if (!this.#isConnected) await this.api.open();
    this.#isConnected = true;
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.db.close();
  }

  #telegram() {
    const channel = telegramChannel({ token: this.api.token, api_root: this.api.root });
    return this.wire.channel?.(channel) ?? channel;
  }

  #outbox() {
    return {
      database: this.#outboxDatabase,
      channels: { telegram: this.#telegram(), console: consoleChannel(() => {}) },
      chat_id: publicChat,
      // Nobody is let in anywhere in these plays.
      membership: null,
      vip_chat_id: null,
      refresh_quote: null,
      breakers: freely,
      bundle: () => Promise.resolve(null),
      worker: "communicator-simulated",
      now: () => this.now,
      policy_sha256: policySha256,
    };
  }
}
