import { describe, expect, it } from "vitest";
import { type Database, DatabaseError } from "../../../functions/_database/database.ts";
import { steadyDatabase } from "../../../functions/_database/steady-database.ts";
import { DatabaseUnavailable } from "../../../functions/_database/trouble.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

type Answer = unknown;
type Script = Record<string, (() => Answer)[]>;

const fails = (error: Error) => () => {
  throw error;
};
const lost = fails(new DatabaseUnavailable("unseen", "gone"));
const away = fails(new DatabaseUnavailable("not_done", "away"));
const takenBack = (code: string) => fails(new DatabaseError(code, "try again"));

/** Answers each call with the next line of its script, and remembers what was called. */
function scripted(script: Script) {
  const calls: string[] = [];
  const pauses: number[] = [];
  let time = 0;
  const inner: Database = {
    call<T>(name: string): Promise<T> {
      calls.push(name);
      const line = script[name]?.shift();
      if (line === undefined) return Promise.reject(new Error(`${name} was called too often`));
      return new Promise((resolve) => resolve(line() as T));
    },
    close: () => Promise.resolve(),
  };
  const database = steadyDatabase(inner, {
    random: () => 0.5,
    now: () => time,
    wait: (ms) => {
      pauses.push(ms);
      time += ms;
      return Promise.resolve();
    },
  });
  return { database, calls, pauses };
}

const fence = { p_step_id: "s", p_attempt: 1, p_lease_token: "t" };
const results = (...ids: string[]) => ({
  p_results: ids.map((step_id) => ({ step_id, attempt: 1, lease_token: "t", result: step_id })),
  p_policy_sha256: "x",
});
const outcome = (lease: string, more: Record<string, unknown> = {}) => () => ({
  step_id: "s",
  step_status: "running",
  last_code: null,
  lease,
  effect: null,
  ...more,
});
const effect = (status: string) => ({
  effect: { effect_id: "e", status, idempotency_key: "k", payload: {} },
});

describe("what the database took back", () => {
  it.each(["40001", "40P01", "55P03", "57014"])(
    "%s is tried again after a pause by chance",
    async (code) => {
      const { database, calls, pauses } = scripted({
        decide: [takenBack(code), takenBack(code), () => "decided"],
      });
      expect(await database.call("decide", {})).toBe("decided");
      expect(calls).toHaveLength(3);
      expect(pauses).toEqual([20, 40]);
    },
  );

  it("is given up after five times, as what it is", async () => {
    const { database, calls } = scripted({ decide: Array(9).fill(takenBack("40P01")) });
    await expect(database.call("decide", {})).rejects.toMatchObject({ code: "40P01" });
    expect(calls).toHaveLength(5);
  });

  it("is not tried again where Postgres refused for good", async () => {
    const { database, calls } = scripted({ decide: [takenBack("23514")] });
    await expect(database.call("decide", {})).rejects.toMatchObject({ code: "23514" });
    expect(calls).toHaveLength(1);
  });
});

describe("a database that is away", () => {
  it("is asked again, by any call, while nothing can have been done", async () => {
    const { database } = scripted({ decide: [away, away, () => "decided"] });
    expect(await database.call("decide", {})).toBe("decided");
  });

  it("is unavailable in the end, and the door does not wait long for it", async () => {
    const { database, pauses } = scripted({ accept_event: Array(500).fill(away) });
    await expect(database.call("accept_event", {})).rejects.toThrow(Refusal);
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(2_000);
  });

  it("does not hold up a process that is closing", async () => {
    const { database, calls } = scripted({ decide: [away, () => "decided"] });
    await database.close();
    await expect(database.call("decide", {})).rejects.toThrow(Refusal);
    expect(calls).toHaveLength(1);
  });

  it("is unseen when it says nothing for too long", async () => {
    const silent: Database = {
      call: () => new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
    const database = steadyDatabase(silent, { answerMs: 5, patienceMs: () => 0 });
    await expect(database.call("decide", {})).rejects.toMatchObject({ certainty: "unseen" });
  });
});

describe("an answer that was lost", () => {
  it("is not asked for again where a second call could do it twice", async () => {
    const { database, calls } = scripted({ decide: [lost, () => "twice"] });
    await expect(database.call("decide", {})).rejects.toThrow(Refusal);
    expect(calls).toEqual(["decide"]);
  });

  it("is asked for again where the call carries a key of its own", async () => {
    const { database } = scripted({ accept_event: [lost, () => ({ duplicate: true })] });
    expect(await database.call("accept_event", {})).toEqual({ duplicate: true });
  });

  it("is looked up: a result that is on record is not handed in again", async () => {
    const { database, calls } = scripted({
      complete_steps: [lost],
      call_outcome: [outcome("done", { step_status: "done" })],
    });
    expect(await database.call("complete_steps", results("s"))).toEqual([
      { step_id: "s", status: "done" },
    ]);
    expect(calls).toEqual(["complete_steps", "call_outcome"]);
  });

  it("is handed in again where the lease is still held", async () => {
    const { database, calls } = scripted({
      complete_steps: [lost, () => [{ step_id: "s", status: "done" }]],
      call_outcome: [outcome("held")],
    });
    expect(await database.call("complete_steps", results("s"))).toEqual([
      { step_id: "s", status: "done" },
    ]);
    expect(calls).toEqual(["complete_steps", "call_outcome", "complete_steps"]);
  });

  it("is looked up once more where the repeat met what the lost call had done", async () => {
    const { database } = scripted({
      complete_steps: [lost, () => [{ step_id: "s", refused: "stale_lease" }]],
      call_outcome: [outcome("held"), outcome("done")],
    });
    expect(await database.call("complete_steps", results("s"))).toEqual([
      { step_id: "s", status: "done" },
    ]);
  });

  it("stays refused where another worker has the step", async () => {
    const refused = [{ step_id: "s", refused: "stale_lease" }];
    const { database } = scripted({
      complete_steps: [lost, () => refused],
      call_outcome: [outcome("lost"), outcome("lost")],
    });
    expect(await database.call("complete_steps", results("s"))).toEqual(refused);
  });

  it.each([
    ["done by the lost call", { step_id: "s", refused: "stale_lease" }, [
      "complete_steps",
      "call_outcome",
    ]],
    ["not done yet", { step_id: "s", status: "done" }, ["complete_steps"]],
  ])(
    "of a batch that asked for the next one is looked up as well (%s), and what it claimed is left to its lease",
    async (_, repeated, then) => {
      const { database, calls } = scripted({
        complete_and_claim_steps: [lost],
        complete_steps: [() => [repeated]],
        call_outcome: [outcome("done")],
      });
      expect(
        await database.call("complete_and_claim_steps", {
          ...results("s"),
          p_worker: "w",
          p_limit: 10,
          p_agents: null,
        }),
      ).toEqual({ answers: [{ step_id: "s", status: "done" }], claimed: [] });
      expect(calls).toEqual(["complete_and_claim_steps", ...then]);
    },
  );

  it("of a start means that nothing has left yet: it goes on, and starts nothing twice", async () => {
    const { database, calls } = scripted({
      start_effect: [lost],
      call_outcome: [outcome("held", effect("sent"))],
    });
    expect(await database.call("start_effect", { ...fence, p_effect_id: "e" })).toEqual({
      status: "sent",
    });
    expect(calls).toEqual(["start_effect", "call_outcome"]);
  });

  it("of a start that did not happen is a start to be made", async () => {
    const { database } = scripted({
      start_effect: [lost, () => ({ status: "sent" })],
      call_outcome: [outcome("held", effect("reserved"))],
    });
    expect(await database.call("start_effect", fence)).toEqual({ status: "sent" });
  });

  it("of a confirmation is what the effect's row says", async () => {
    const { database } = scripted({
      confirm_effect: [lost],
      call_outcome: [outcome("done", effect("confirmed"))],
    });
    expect(await database.call("confirm_effect", { ...fence, p_outcome: "confirmed" })).toEqual({
      status: "confirmed",
    });
  });

  it("of a confirmation is told again where the row says otherwise, so that it is on record", async () => {
    const stale = { refused: "stale_lease" };
    const { database, calls } = scripted({
      confirm_effect: [lost, () => stale],
      call_outcome: [
        outcome("released", { step_status: "stale", ...effect("unknown") }),
        outcome("released", { step_status: "stale", ...effect("unknown") }),
      ],
    });
    expect(await database.call("confirm_effect", { ...fence, p_outcome: "confirmed" })).toEqual(
      stale,
    );
    expect(calls.filter((name) => name === "confirm_effect")).toHaveLength(2);
  });

  it("of a reservation that ended with its step is that effect", async () => {
    const { database } = scripted({
      reserve_effect: [lost],
      call_outcome: [outcome("done", effect("confirmed"))],
    });
    expect(await database.call("reserve_effect", fence)).toEqual({
      effect_id: "e",
      status: "confirmed",
      idempotency_key: "k",
    });
  });

  it("of a failure, a plan and an archive is what became of the step", async () => {
    for (
      const [name, seen, answer] of [
        ["fail_step", outcome("released", { step_status: "ready" }), { status: "ready" }],
        ["record_plan", outcome("done"), { step_id: "s", status: "done" }],
        ["archive_task", outcome("done"), { step_id: "s", status: "archived" }],
      ] as const
    ) {
      const { database } = scripted({ [name]: [lost], call_outcome: [seen] });
      expect(await database.call(name, fence)).toEqual(answer);
    }
  });
});
