import { setTimeout as sleep } from "node:timers/promises";
import * as line from "../../../tests/support/line.ts";
import type { TestDatabase } from "../../../tests/support/database.ts";
import type { FaultedDatabase } from "../faulted-database.ts";
import { Findings, type Row } from "../row.ts";

type More = Record<string, unknown>;

const say = (db: TestDatabase, from: string, intent: More, more: More = {}) =>
  line.handle(db, line.update(from, intent, more));
const stop = (db: TestDatabase, from = "1001") =>
  say(db, from, { type: "stop", scope: "all", reason: "smoke" });
const resume = (db: TestDatabase, from: string) =>
  say(db, from, { type: "resume", scope: "all", reason: "it was steam" });
const breakGlass = (db: TestDatabase, from: string, id: string) =>
  say(db, from, { type: "breakglass", id, reason: "it must be closed" });

async function confirm(db: TestDatabase, from: string, code: unknown, more: More = {}) {
  const proof = "second_factor" in more ? {} : { second_factor: await line.secondFactor(db, from) };
  return await say(db, from, { type: "confirm", code, decision: "approve" }, { ...proof, ...more });
}

const stateOf = async (db: FaultedDatabase) =>
  (await db.owner<{ state: string }>(
    "select state from public.emergency_stops where scope = 'all'",
  ))[0]?.state ?? "no row";

const newsOf = (db: FaultedDatabase, topic: string) =>
  db.count(
    "public.notifications where kind = 'announcement' and payload_json ->> 'topic' = $1 and recipient in ('1002', '1024')",
    [topic],
  );

/** As many posts as asked for, each approved and its effect's step leased. */
async function approvedPosts(db: TestDatabase, n: number) {
  const codes: string[] = [];
  for (let i = 0; i < n; i++) codes.push(await line.openCode(db, await line.signalAtGate(db)));
  for (const code of codes) await line.decide(db, "1001", code);
  return await line.claim(db, ["communicator"]);
}

const underWay: Row = {
  id: 73,
  fault: "a stop while many sessions start effects, the database slow",
  promise: "nothing starts after the stop was committed; no Telegram needed",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const rounds = scene.times(3);
    // What each look at the stop costs: the window in which a start could slip through.
    await db.owner(
      `create or replace function private.is_stopped(p_scope text) returns boolean language plpgsql volatile set search_path = '' as
       'begin perform pg_sleep(0.02); return coalesce((select e.state <> ''running'' from public.emergency_stops e where e.scope = p_scope), true); end'`,
    );
    const crowds = Array.from({ length: 4 }, () => db.through(db.connect(8)));
    const times: number[] = [];
    let before = 0;
    let refused = 0;
    for (let round = 0; round < rounds; round++) {
      const work = await approvedPosts(db, 40);
      const reserved = await Promise.all(work.map((step) => line.reserve(db, step)));
      let stopped: Promise<unknown> | null = null;
      const asked = (async () => {
        await sleep(100 + scene.random() * 200);
        const began = performance.now();
        // By the administrator at the machine, without a bot.
        stopped = db.as("administrator", "select api.stop('all', 'a trial', 'cli:test')");
        await stopped;
        times.push(performance.now() - began);
      })();
      const answers = await Promise.all(work.map(async (step, i) => {
        await sleep(scene.random() * 500);
        return await line.start(crowds[i % crowds.length], reserved[i].effect_id, step).catch((
          error,
        ) => ({ refused: String(error.message) }));
      }));
      await asked;
      before += answers.filter((answer) => !answer.refused).length;
      refused += answers.filter((answer) => answer.refused).length;
      await db.owner("update public.emergency_stops set state = 'running'");
      await db.owner("update public.task_steps set run_at = 'infinity' where status = 'ready'");
    }
    const late = await db.owner(
      `select e.ts from public.events e join public.audit_logs a on a.object = 'stop:all' and a.after_json ->> 'state' = 'stopped'
       where e.type = 'EFFECT_SENT' and e.ts > a.ts and e.ts < coalesce((select min(r.ts) from public.audit_logs r
         where r.object = 'stop:all' and r.after_json ->> 'state' = 'running' and r.id > a.id), 'infinity')`,
    );
    found.must(late.length === 0, `${late.length} effects began after a stop`);
    found.must(before > 0, "nothing began before a stop, so nothing is shown");
    found.must(refused > 0, "nobody tried to start after a stop");
    found.must(Math.max(...times) < 1000, `a stop took ${Math.max(...times).toFixed(0)} ms`);
    found.counted(times.length, "stops committed amid 32 sessions");
    found.counted(refused, "starts turned away");
    found.saw(
      `${before} began before, none after; slowest stop ${Math.max(...times).toFixed(0)} ms`,
    );
    return found.outcome(`${rounds} stops, each look at the stop slowed by 20 ms`);
  },
};

const resumed: Row = {
  id: 74,
  fault: "one person resumes; a confirmation is used again",
  promise: "two persons, an owner among them; a code counts once",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const refusals: string[] = [];
    const wants = async (answer: Promise<line.Answer>, code: string) => {
      const { refused } = await answer;
      found.must(refused === code, `${refused ?? "taken"} instead of ${code}`);
      refusals.push(String(refused));
      found.must(await stateOf(db) === "stopped", "the stop ended");
    };
    await stop(db);
    const { code } = await resume(db, "1004");
    await wants(confirm(db, "1004", code), "dual_control_violation");
    await wants(confirm(db, "1024", code), "dual_control_violation");
    await wants(confirm(db, "1005", code), "wrong_role");
    await wants(confirm(db, "1002", code, { second_factor: null }), "second_factor_required");
    await wants(confirm(db, "1002", "C-AAAAAAAA"), "unknown_confirmation");
    await wants(resume(db, "1003"), "wrong_role");
    const proof = await line.secondFactor(db, "1002");
    const done = await confirm(db, "1002", code, { second_factor: proof });
    found.must(done.reply === "resumed", `two persons: ${done.refused ?? done.reply}`);
    await stop(db);
    await wants(confirm(db, "1002", code, { second_factor: proof }), "unknown_confirmation");
    const { code: second } = await resume(db, "1001");
    await wants(confirm(db, "1002", second, { second_factor: proof }), "second_factor_wrong");
    await stop(db);
    await wants(confirm(db, "1002", second), "unknown_confirmation");
    found.counted(refusals.length, `misuses refused: ${[...new Set(refusals)].join(" ")}`);
    found.saw("two persons with a code resumed once");
    return found.outcome(`${refusals.length} ways to resume alone or again`);
  },
};

const glass: Row = {
  id: 75,
  fault: "a broken glass is used again, late, by one person, or to change the record",
  promise: "refused; each use pages the owners",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const [one, two] = await approvedPosts(db, 2);
    await stop(db);
    const refusals: string[] = [];
    const wants = async (answer: Promise<line.Answer>, code: string) => {
      const { refused } = await answer;
      found.must(refused === code, `${refused ?? "taken"} instead of ${code}`);
      refusals.push(String(refused));
    };
    await wants(line.reserve(db, one), "stopped");
    const { code } = await breakGlass(db, "1004", one.task_id);
    await wants(confirm(db, "1024", code), "dual_control_violation");
    await wants(confirm(db, "1005", code), "wrong_role");
    const granted = await confirm(db, "1002", code);
    found.must(
      granted.reply === "break_glass_granted",
      `two persons: ${granted.refused ?? granted.reply}`,
    );
    await wants(confirm(db, "1002", code), "unknown_confirmation");
    await wants(line.reserve(db, two), "stopped");
    const reserved = await line.reserve(db, one);
    found.must(!reserved.refused, `the granted effect: ${reserved.refused}`);
    found.must(
      !(await line.start(db, reserved.effect_id, one)).refused,
      "the granted effect did not start",
    );
    await line.confirm(db, reserved.effect_id, one);
    found.must(await newsOf(db, "break_glass_used") > 0, "the owners were not told of its use");
    await wants(breakGlass(db, "1001", one.task_id), "break_glass_invalid");
    const { code: late } = await breakGlass(db, "1001", two.task_id);
    await confirm(db, "1002", late);
    const raised: string[] = [];
    for (
      const sql of [
        "update public.break_glass_grants set expires_at = expires_at + interval '1 hour'",
        "update public.break_glass_grants set used_at = null, effect_id = null",
        "delete from public.break_glass_grants",
        "update public.audit_logs set actor = 'nobody'",
      ]
    ) raised.push(await db.owner(sql).then(() => "nothing", (error) => String(error.code)));
    found.must(
      raised.every((code) => code === "AGHIS"),
      `changes of the record raised ${raised.join(" ")}`,
    );
    // Sixteen minutes go by for everybody.
    await db.owner(
      `create or replace function private.now() returns timestamptz language sql volatile parallel safe set search_path = ''
       as $$ select clock_timestamp() + interval '16 minutes' $$`,
    );
    await wants(line.reserve(db, two), "stopped");
    found.counted(refusals.length, `misuses refused: ${[...new Set(refusals)].join(" ")}`);
    found.counted(raised.length, "changes by the tables' owner raised AGHIS");
    found.saw(
      `one effect let through, once; owners told ${await newsOf(db, "break_glass_used")} times`,
    );
    return found.outcome("two grants, misused");
  },
};

const unreadable: Row = {
  id: 76,
  fault: "the stop's row is deleted, garbled, or cannot be read",
  promise: "counts as stopped",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const work = await approvedPosts(db, 4);
    const ways: [string, string[]][] = [
      ["deleted", ["delete from public.emergency_stops where scope = 'all'"]],
      ["garbled", [
        "insert into public.emergency_stops (scope, state, changed_by, reason) values ('all', 'stopped', 'x', 'x')",
        "alter table public.emergency_stops drop constraint stop_state_is_known",
        "update public.emergency_stops set state = 'maybe' where scope = 'all'",
      ]],
      ["out of reach", ["alter table public.emergency_stops rename to emergency_stops_gone"]],
    ];
    const seen: string[] = [];
    for (const [i, [way, statements]] of ways.entries()) {
      for (const sql of statements) await db.owner(sql);
      const answer = await line.reserve(db, work[i]).catch((error) => ({
        refused: `raised ${error.code}`,
      }));
      found.must(Boolean(answer.refused), `${way}: reserved`);
      seen.push(`${way}: ${answer.refused}`);
      found.proof(`row ${way}`);
    }
    await db.owner("alter table public.emergency_stops_gone rename to emergency_stops");
    found.must(await db.count("public.effects") === 0, "an effect was reserved");
    await db.owner("update public.emergency_stops set state = 'running'");
    const after = await line.reserve(db, work[3]);
    found.must(!after.refused, `running again: ${after.refused}`);
    found.saw(`${seen.join(", ")}; reserved again once it says running`);
    return found.outcome("three ways to lose the row, by SQL as its owner");
  },
};

export const stops = [underWay, resumed, glass, unreadable];
