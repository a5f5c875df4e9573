import { afterAll, beforeAll, expect, it } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import type { TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  archive,
  claim,
  confirm,
  decide,
  fail,
  plan,
  policySha256,
  reserve,
  resultOf,
  start,
} from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

/** Everything that moves tasks, at once, on a server with many sessions; PGlite has one and cannot show this. */
onNativePostgres("workers, people, the clock and the sweeper at once", () => {
  let native: NativeDatabase;
  let over = false;
  const raised: string[] = [];
  beforeAll(async () => {
    native = await openNativeDatabase();
    await activate(native as unknown as TestDatabase);
    for (const [name, id] of [["olga", "1001"], ["pia", "1002"]]) {
      await addMember(native as unknown as TestDatabase, "operator", name, id);
    }
    // Half a minute passes in a second: leases and requests lapse under everybody's hands.
    await native.owner(
      "create table private.test_clock (began timestamptz not null default clock_timestamp())",
    );
    await native.owner("insert into private.test_clock default values");
    await native.owner(
      `create or replace function private.now() returns timestamptz language sql volatile parallel safe set search_path = ''
      as 'select c.began + (clock_timestamp() - c.began) * 30 from private.test_clock c'`,
    );
  }, 120_000);
  afterAll(() => native?.close());

  const chance = (p: number) => Math.random() < p;
  const session = () => ({ ...native, database: native.connect(1) }) as unknown as TestDatabase;

  /** Does its work until the storm is over; whatever the database raises, instead of refusing, is kept. */
  async function worker(body: (db: TestDatabase) => Promise<void>): Promise<void> {
    const db = session();
    while (!over) {
      await body(db).catch((error) => void raised.push(`${error.code}: ${error.message}`));
      await new Promise((done) => setTimeout(done, 2));
    }
  }

  async function agents(db: TestDatabase): Promise<void> {
    const items: unknown[] = [];
    for (const work of await claim(db)) {
      if (chance(0.03)) continue; // its worker died
      if (chance(0.05)) await fail(db, work, "unavailable");
      else if (work.agent_class === "planner") await plan(db, work);
      else if (work.agent_class === "orchestrator") await archive(db, work);
      else if (work.node_id === "publish") {
        await reserve(db, work, { p_kind: "record", p_channel: "internal", p_payload: {} });
      } else {items.push({
          step_id: work.step_id,
          attempt: work.attempt,
          lease_token: work.lease_token,
          result: resultOf(work),
        });}
    }
    await db.database.call("complete_steps", {
      p_results: items.reverse(),
      p_policy_sha256: policySha256,
    });
  }

  async function communicator(db: TestDatabase): Promise<void> {
    const publish = async (work: StepWork) => {
      const { effect_id } = await reserve(db, work);
      if (
        !effect_id || chance(0.05) || (await start(db, effect_id, work)).refused || chance(0.05)
      ) return;
      await confirm(
        db,
        effect_id,
        work,
        chance(0.2) ? "not_sent" : chance(0.05) ? "unknown" : "confirmed",
        {},
      );
    };
    await Promise.all((await claim(db, ["communicator"])).map(publish));
  }

  async function people(db: TestDatabase): Promise<void> {
    const open = await native.owner<{ code: string }>(
      "select code from public.approval_requests where status in ('open', 'approved') order by random() limit 5",
    );
    for (const { code } of open) {
      await decide(db, chance(0.5) ? "1001" : "1002", code, chance(0.9) ? "approve" : "reject");
    }
  }

  async function messages(db: TestDatabase): Promise<void> {
    const claimed = await db.database.call<{ notification_id: string }[]>("claim_notifications", {
      p_worker: "t",
      p_limit: 20,
    });
    await db.database.call("complete_notifications", {
      p_results: claimed.map(({ notification_id }) => ({
        notification_id,
        outcome: chance(0.9) ? "sent" : "retry",
        message_id: "1",
        channel: "telegram",
      })),
    });
  }

  it(
    "raise nothing, lose nothing, publish nothing twice, and leave every task at an end",
    async () => {
      const door = session();
      const all = [
        agents,
        agents,
        agents,
        communicator,
        communicator,
        people,
        people,
        messages,
        messages,
      ].map(worker);
      const sweepers = [1, 2].map(() => worker(async (db) => void await db.database.call("sweep")));
      for (let i = 0; i < 120; i++) {
        await accept(
          door,
          i % 3
            ? alertEvent(`BUY ${i}`)
            : alertEvent(`read ${i}`, { source: "desk", action: "READ" }),
        );
      }
      const open = async () =>
        (await native.owner<{ n: number }>(
          "select count(*)::int as n from public.tasks where ended_at is null and status <> 'paused'",
        ))[0].n;
      for (let i = 0; i < 400 && await open() > 0; i++) {
        await new Promise((done) => setTimeout(done, 100));
      }
      over = true;
      await Promise.all([...all, ...sweepers]);

      expect(raised).toEqual([]);
      expect(await open()).toBe(0);
      expect(
        await native.owner(
          "select task_id from public.events where type = 'PUBLISH_OK' group by 1 having count(*) > 1",
        ),
      ).toEqual([]);
      expect(
        await native.owner("select task_id from public.effects group by 1 having count(*) > 1"),
      ).toEqual([]);
      expect(
        await native.owner(
          `select s.step_id from public.task_steps s join public.tasks t using (task_id)
      where t.ended_at is not null and s.status in ('pending', 'ready', 'running', 'awaiting_approval', 'stale')`,
        ),
      ).toEqual([]);
      expect(
        await native.owner(
          "select 1 from public.approval_requests where status in ('open', 'approved')",
        ),
      ).toEqual([]);
      expect(await native.owner("select 1 from public.jobs where last_status = 'error'")).toEqual(
        [],
      );
      expect(
        await native.owner(
          "select 1 from public.audit_logs where code = 'internal' and action = 'step.reap' and actor = 'reaper'",
        ),
      ).toEqual([]);
      // What happened can be told from the audit alone, in whatever order the sessions came.
      expect(
        await native.owner(`
      with folded as (
        select l.object, jsonb_object_agg(e.key, e.value order by l.id) as body from public.audit_logs l, jsonb_each(l.after_json) e
        where l.outcome = 'done' and l.object ~ '^(task|step|request):' and (l.before_json is not null or l.after_json ? 'status') group by 1
      )
      select t.task_id from public.tasks t left join folded f on f.object = 'task:' || t.task_id where to_jsonb(t) is distinct from f.body
      union all select s.task_id from public.task_steps s left join folded f on f.object = 'step:' || s.step_id where to_jsonb(s) is distinct from f.body`),
      )
        .toEqual([]);
      const ends = await native.owner<{ status: string }>(
        "select distinct status from public.tasks",
      );
      expect(ends.map(({ status }) => status)).toContain("archived");
    },
    60_000,
  );
});
