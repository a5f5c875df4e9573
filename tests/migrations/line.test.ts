import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  claim,
  decide,
  lease,
  openCode,
  reserve,
  runToGate,
  signalAtGate,
  statusOf,
} from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

const events = async (taskId: string) =>
  (await db.owner<{ type: string }>(
    "select type from public.events where task_id = $1 order by seq",
    [taskId],
  ))
    .map(({ type }) => type);

describe("the line in SQL", () => {
  it("archives a T0 task without asking anybody", async () => {
    const accepted = await accept(db, alertEvent("read", { source: "desk", action: "READ" }));
    const effect = await runToGate(db);
    if (effect === null) throw new Error("no effect step became ready");
    expect(effect).toMatchObject({ node_id: "publish", agent_class: "exec" });
    expect(await reserve(db, effect, { p_kind: "record", p_channel: "internal", p_payload: {} }))
      .toMatchObject({ status: "confirmed" });
    const [archive] = await claim(db);
    expect(archive.node_id).toBe("archive");
    await db.database.call("archive_task", { ...lease(archive), p_chunks: [] });
    expect(await statusOf(db, accepted.task_id as string)).toBe("archived");
    const steps = await db.owner(
      "select node_id, status from public.task_steps where task_id = $1 and node_id = 'approve'",
      [accepted.task_id],
    );
    expect(steps).toEqual([{ node_id: "approve", status: "skipped" }]);
    expect(await db.owner("select 1 from public.approvals")).toEqual([]);
  });

  it("publishes a T2 signal once, after one operator's yes", async () => {
    const taskId = await signalAtGate(db);
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
    expect(await claim(db, ["communicator"])).toEqual([]);
    const code = await openCode(db, taskId);
    expect(code).toMatch(/^T2-\d{8}-\d{4,}$/);
    expect(await decide(db, "1001", code)).toMatchObject({ reply: "decided", status: "approved" });

    const [work] = await claim(db, ["communicator"]);
    const reserved = await reserve(db, work);
    expect(reserved).toMatchObject({ status: "reserved" });
    const fence = {
      p_effect_id: reserved.effect_id,
      p_attempt: work.attempt,
      p_lease_token: work.lease_token,
    };
    expect(await db.database.call("start_effect", fence)).toEqual({ status: "sent" });
    expect(
      await db.database.call("confirm_effect", {
        ...fence,
        p_outcome: "confirmed",
        p_receipt: { message_id: "7" },
      }),
    )
      .toEqual({ status: "confirmed" });
    const [archive] = await claim(db);
    await db.database.call("archive_task", {
      ...lease(archive),
      p_chunks: [{ symbol: "BTCUSDT", content: "long 67000", embedding: Array(384).fill(0.05) }],
    });
    expect(await statusOf(db, taskId)).toBe("archived");
    const types = await events(taskId);
    expect(types[0]).toBe("TASK_CREATED");
    expect(types.filter((type) => type === "PUBLISH_OK")).toHaveLength(1);
    expect(types.indexOf("NEED_APPROVAL")).toBeLessThan(types.indexOf("APPROVAL_DECIDED"));
    expect(types.at(-1)).toBe("TASK_ARCHIVED");
    const found = await db.database.call<unknown[]>("search_chunks", {
      p_symbol: "BTCUSDT",
      p_embedding: Array(384).fill(0.05),
      p_limit: 3,
    });
    expect(found).toHaveLength(1);
  });

  it("folds the audit rows of every task, step and request to the row as it is", async () => {
    const folded = await db.owner<{ object: string; same: boolean }>(`
      with folded as (
        select l.object, jsonb_object_agg(e.key, e.value order by l.id) as body
        from public.audit_logs l, jsonb_each(l.after_json) e
        where l.outcome = 'done' and l.object ~ '^(task|step|request):'
          and (l.before_json is not null or l.after_json ? 'status') group by l.object
      ), current as (
        select 'task:' || t.task_id as object, to_jsonb(t) as body from public.tasks t
        union all select 'step:' || s.step_id, to_jsonb(s) from public.task_steps s
        union all select 'request:' || r.request_id, to_jsonb(r) from public.approval_requests r
      )
      select c.object, c.body = f.body as same from current c left join folded f using (object)`);
    expect(folded.length).toBeGreaterThan(10);
    expect(folded.filter(({ same }) => !same)).toEqual([]);
  });
});
