import { describe, expect, it } from "vitest";
import {
  approvedSignal,
  claim,
  claimPublish,
  confirm,
  decide,
  openCode,
  refusalsOf,
  reserve,
  signalAtGate,
  start,
  statusOf,
} from "../support/line.ts";
import { db } from "./people.ts";
import { deciders, newsOf, say, told } from "./stopping.ts";

const resolve = (from: string, effect: string, outcome = "done", reason: string | null = null) =>
  say(from, { type: "resolve", effect, outcome, reason });

/** An effect whose answer nobody saw; its requester is who the test says. */
async function unseen(actor = "tradingview:desk"): Promise<{ effect: string; taskId: string }> {
  const taskId = await signalAtGate(db, { actor });
  await decide(db, "1005", await openCode(db, taskId));
  const work = await claimPublish(db, taskId);
  const { effect_id } = await reserve(db, work!);
  await start(db, effect_id, work!);
  await confirm(db, effect_id, work!, "unknown", { error: "no answer" });
  return { effect: effect_id as string, taskId };
}

const effectStatus = async (effect: string): Promise<string> =>
  (await db.owner<{ status: string }>(
    "select status from public.effects where effect_id = $1",
    [effect],
  ))[0].status;

describe("resolving an unknown outcome", () => {
  it("is refused to a reviewer and to whoever asked for the effect, under any account", async () => {
    const { effect, taskId } = await unseen("tradingview:tom");
    expect(await resolve("1003", effect)).toMatchObject({ refused: "wrong_role" });
    for (const requester of ["1004", "1014", "1024"]) {
      expect(await resolve(requester, effect)).toMatchObject({ refused: "self_approval" });
    }
    expect(await effectStatus(effect)).toBe("unknown");
    expect(await statusOf(db, taskId)).toBe("paused");
    expect(await refusalsOf(db, `effect:${effect}`)).toContain("self_approval");
    expect(await resolve("1001", effect)).toMatchObject({ reply: "resolved" });
  });

  it("is refused for an effect that is not there, that two names fit, or that is named too shortly", async () => {
    const { effect } = await unseen();
    for (const name of ["deadbeef", effect.slice(0, 7), "", "not-a-name", "%", `${effect}0`]) {
      expect(await resolve("1001", name)).toMatchObject({ refused: "not_found" });
    }
    const twin = `${effect.slice(0, 35)}${effect.endsWith("0") ? "1" : "0"}`;
    await db.owner(
      `insert into public.effects (effect_id, task_id, step_id, kind, channel, idempotency_key, payload_json)
       select $2::text::uuid, e.task_id, e.step_id, e.kind, e.channel, $2, '{}' from public.effects e where e.effect_id = $1`,
      [effect, twin],
    );
    expect(await resolve("1001", effect.slice(0, 12))).toMatchObject({ refused: "not_found" });
    expect(await resolve("1001", effect)).toMatchObject({ reply: "resolved", effect_id: effect });
  });

  it("is refused for an effect whose outcome is known, also when asked twice", async () => {
    const { work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    expect(await resolve("1001", effect_id as string))
      .toMatchObject({ refused: "illegal_transition", status: "reserved" });
    const { effect } = await unseen();
    await resolve("1001", effect, "not-done");
    expect(await resolve("1002", effect)).toMatchObject({ refused: "illegal_transition" });
    expect(await resolve("1002", effect, "perhaps")).toMatchObject({ refused: "invalid_request" });
  });

  it("as done lets the task go on to the archive, in the name of who looked", async () => {
    const { effect, taskId } = await unseen();
    const news = await newsOf("effect_resolved", async () => {
      expect(await resolve("1001", effect.slice(0, 8), "done", "it is in the channel"))
        .toMatchObject({ reply: "resolved", state: "done", task_id: taskId });
    });
    expect(news).toEqual(deciders);
    expect(await effectStatus(effect)).toBe("confirmed");
    const [{ receipt }] = await db.owner<{ receipt: unknown }>(
      "select receipt_json as receipt from public.effects where effect_id = $1",
      [effect],
    );
    expect(receipt).toEqual({ settled_by: "operator:olga", reason: "it is in the channel" });
    const archive = (await claim(db, ["orchestrator"])).find(({ task_id }) => task_id === taskId);
    expect(archive).toBeDefined();
  });

  it("as not done ends the task, and nothing tries the effect again", async () => {
    const { effect, taskId } = await unseen();
    expect(await resolve("1002", effect.toUpperCase(), "not-done"))
      .toMatchObject({ state: "not-done", task_status: "failed" });
    expect(await effectStatus(effect)).toBe("failed");
    expect((await told("effect_resolved")).at(-1)?.payload).toMatchObject({
      state: "not-done",
      reason: "looked at, no more was said",
    });
    expect(await claimPublish(db, taskId)).toBeNull();
  });

  it("from the terminal follows the same body", async () => {
    const { effect } = await unseen();
    const settle = (outcome: string) =>
      db.as<{ answer: unknown }>(
        "administrator",
        "select api.settle_effect($1, $2, 'I looked', 'cli:ada') as answer",
        [effect, outcome],
      );
    expect((await settle("perhaps"))[0].answer).toMatchObject({ refused: "invalid_request" });
    expect((await settle("confirmed"))[0].answer).toMatchObject({ status: "confirmed" });
    expect((await settle("failed"))[0].answer).toMatchObject({ refused: "illegal_transition" });
  });
});
