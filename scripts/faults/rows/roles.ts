import * as line from "../../../tests/support/line.ts";
import { trespasses } from "../../../tests/model/trespass.ts";
import type { FaultedDatabase } from "../faulted-database.ts";
import { sessions } from "../faulted-database.ts";
import { Findings, type Row } from "../row.ts";
import { inParallel } from "../running-stack.ts";
import { pick } from "../seed.ts";

const relations = `
  select c.oid::regclass::text as name, (select quote_ident(a.attname) from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and a.attidentity = '' order by a.attnum limit 1) as column
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e') order by 1`;

const codeOf = (
  db: FaultedDatabase,
  role: string,
  sql: string,
  claims?: Record<string, unknown>,
): Promise<string> =>
  db.as(role, sql, [], claims).then((rows) => `${rows.length} rows`, (error) => String(error.code));

const anonymous: Row = {
  id: 54,
  fault: "the anonymous role tries every table, every verb and every command",
  promise: "nothing is granted",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    await line.approvedSignal(db);
    const tables = await db.owner<{ name: string; column: string }>(relations);
    const verbs = ({ name: table, column }: { name: string; column: string }) => [
      `select * from ${table} limit 1`,
      `insert into ${table} default values`,
      `update ${table} set ${column} = ${column}`,
      `delete from ${table}`,
      `truncate ${table}`,
      `copy ${table} to stdout`,
    ];
    const commands = (await db.owner<{ call: string }>(
      `select format('select %I.%I(%s)', n.nspname, p.proname, coalesce((select string_agg('null::' || format_type(t, null), ', ') from unnest(p.proargtypes) t), '')) as call
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('api', 'private') and p.prorettype <> 'trigger'::regtype`,
    )).map(({ call }) => call);
    const counts = new Map<string, number>();
    for (const sql of [...tables.flatMap(verbs), ...commands]) {
      const code = await codeOf(db, "anon", sql);
      // A view that cannot be written says so before anybody asks for rights.
      found.must(
        ["42501", "55000", "42809", "0A000"].includes(code),
        `anon got ${code} for ${sql}`,
      );
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    found.counted(
      tables.length * 6 + commands.length,
      `statements tried as anon: ${[...counts].map(([code, n]) => `${n}×${code}`).join(" ")}`,
    );
    found.saw(`${tables.length} relations × 6 verbs, ${commands.length} functions: none granted`);
    return found.outcome("every relation and function of the catalog");
  },
};

const escapes = [
  "set local role postgres",
  "set local session_replication_role = replica",
  "alter table public.approvals disable trigger all",
  "alter table public.tasks disable row level security",
  "create or replace function private.now() returns timestamptz language sql as 'select now()'",
  "create function public.evil() returns int language sql security definer as 'select 1'",
  "create temp table tasks (task_id text); select api.pending()",
  "create schema pg_temp_evil",
  "select * from private.second_factors",
  "select * from private.pairing_codes",
  "select set_config('role', 'postgres', true); select * from private.second_factors",
  "copy public.approvals from stdin",
  "lock table public.approvals in access exclusive mode",
  "truncate public.audit_logs",
  "delete from public.event_receipts r where r.received_at < now()",
  "update public.tasks set status = status where 1 / (case when goal like 'x%' then 0 else 1 end) = 1",
  "select pg_read_file('/etc/passwd')",
  "select lo_import('/etc/passwd')",
  "copy (select 1) to program 'true'",
  "do language plpgsql 'begin execute ''drop table public.tasks''; end'",
  "reset role; drop table public.tasks",
  "grant service_role to anon",
  "alter role service_role superuser",
  "comment on table public.tasks is 'mine'",
  "create policy mine on public.tasks for all using (true)",
];

const escaping: Row = {
  id: 55,
  fault:
    "row-level security and the triggers are gone round: definer, search path, views, TRUNCATE, COPY, role tricks",
  promise: "no role that runs gets through; nothing is read or written",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    await line.approvedSignal(db);
    const before = await db.owner<{ sum: string }>(
      "select md5(string_agg(t::text, '' order by t.task_id)) as sum from public.tasks t",
    );
    const counts = new Map<string, number>();
    for (const role of ["service_role", "authenticated", "auditor", "administrator", "anon"]) {
      const url = new URL(db.gatewayUrl);
      for (const sql of escapes) {
        // A session of the gateway's own login, so that giving a role back does not give a superuser back.
        const session = sessions(url.href, 1);
        const code = await session.begin(async (tx) => {
          await tx.unsafe(
            `set local role ${["auditor", "administrator"].includes(role) ? "service_role" : role}`,
          );
          for (const part of sql.split("; ")) await tx.unsafe(part);
          return "through";
        }).catch((error) => String(error.code));
        await session.end({ timeout: 1 });
        found.must(code !== "through", `${role} got through with: ${sql}`);
        counts.set(code, (counts.get(code) ?? 0) + 1);
      }
    }
    const after = await db.owner<{ sum: string }>(
      "select md5(string_agg(t::text, '' order by t.task_id)) as sum from public.tasks t",
    );
    found.must(before[0].sum === after[0].sum, "a task changed");
    const definers = await db.count(
      `pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('api', 'private', 'public') and p.prosecdef
       and not coalesce(p.proconfig @> array['search_path=""'], false)`,
    );
    found.must(definers === 0, `${definers} definer functions have an open search path`);
    const views = await db.count(
      "pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'v' and not coalesce(c.reloptions::text like '%security_invoker=true%', false)",
    );
    found.must(views === 0, `${views} views run as their owner`);
    found.counted(
      escapes.length * 5,
      `escapes tried: ${[...counts].map(([code, n]) => `${n}×${code}`).join(" ")}`,
    );
    found.saw("none got through, the tasks are as they were");
    return found.outcome(`${escapes.length} escapes under five roles`);
  },
};

const stolen: Row = {
  id: 56,
  fault: "the functions' database key is stolen",
  promise: "no table can be written; a made-up approval has no signature",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const taskId = await line.signalAtGate(db);
    const code = await line.openCode(db, taskId);
    await db.owner(
      "update public.members set auth_user_id = gen_random_uuid() where auth_user_id is null",
    );
    const all = (await trespasses(db)).filter(({ role }) => role === "service_role");
    const counts = new Map<string, number>();
    for (const { sql, claims } of all) {
      const answer = await codeOf(db, "service_role", sql, JSON.parse(claims));
      found.must(answer === "42501", `service_role got ${answer} for ${sql}`);
      counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
    const intent = { type: "approve", code, decision: "approve", reason: null };
    const forged = [
      null,
      {},
      {
        code,
        decision: "approve",
        digest: "0".repeat(64),
        person: "x",
        role: "operator",
        signed_at: new Date().toISOString(),
        key_id: "0".repeat(16),
        signature: "A".repeat(86) + "==",
      },
    ];
    for (const p_signed of forged) {
      const { refused } = await db.database.call<line.Answer>("decide", {
        p_update: line.update("1001", intent),
        p_signed,
      });
      found.must(
        ["signature_missing", "signature_mismatch"].includes(String(refused)),
        `a made-up yes got ${refused ?? "through"}`,
      );
    }
    found.must(await db.count("public.approvals") === 0, "a decision is on record");
    found.counted(
      all.length,
      `direct writes and foreign calls tried: ${
        [...counts].map(([c, n]) => `${n}×${c}`).join(" ")
      }`,
    );
    found.counted(forged.length, "made-up approvals refused");
    found.saw("nothing written, 0 decisions");
    return found.outcome("every write and every call beyond its grants, as service_role");
  },
};

const mixedUp: Row = {
  id: 57,
  fault: "connections are reused by other people's requests",
  promise: "nobody reads as somebody else",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    await db.owner(
      "update public.members set auth_user_id = gen_random_uuid() where auth_user_id is null",
    );
    const people = await db.owner<{ sub: string; role: string }>(
      "select auth_user_id::text as sub, role from public.members where status = 'active'",
    );
    const nobody = { sub: crypto.randomUUID(), role: null };
    const n = scene.times(3000);
    let mixed = 0;
    let broken = 0;
    const pids = new Set<number>();
    await inParallel(n, 16, async () => {
      const who = pick(scene.random, [...people, nobody]);
      const claims = { sub: who.sub, role: "authenticated" };
      if (scene.random() < 0.1) {
        // A request that fails in the middle leaves its connection to the next one.
        await db.as("authenticated", "select 1 / 0", [], claims).catch(() => broken++);
        return;
      }
      const [row] = await db.as<{ role: string | null; uid: string; pid: number; seen: number }>(
        "authenticated",
        "select api.my_role() as role, auth.uid()::text as uid, pg_backend_pid() as pid, (select count(*)::int from public.members) as seen",
        [],
        claims,
      );
      pids.add(row.pid);
      if (row.uid !== who.sub || row.role !== who.role) mixed++;
    });
    found.must(mixed === 0, `${mixed} of ${n} requests read as somebody else`);
    found.proof(
      `${n} requests of ${
        people.length + 1
      } identities on ${pids.size} connections, ${broken} of them broken off`,
    );
    found.saw("0 mixed up");
    return found.outcome(`${n} interleaved identities`);
  },
};

const raced: Row = {
  id: 61,
  fault: "a rate limit is raced by many callers in several processes",
  promise: "never one more than the bucket holds",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const pools = [db.database, db.connect(10), db.connect(10)];
    const n = scene.times(600);
    const rounds = 3;
    const seen: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await db.owner("delete from private.rate_buckets");
      const began = Date.now();
      const answers = await inParallel(
        n,
        60,
        (i) =>
          pools[i % 3].call<{ granted?: boolean }>("take_tool_token", { p_tool: "telegram.post" }),
      );
      const granted = answers.filter((answer) => answer.granted === true).length;
      // Thirty a minute: what the time of the race itself refills may be granted too.
      const most = 30 + Math.floor((Date.now() - began) / 2000);
      found.must(granted <= most, `${granted} granted, ${most} are allowed`);
      found.must(granted >= 30, `only ${granted} granted`);
      found.counted(answers.length - granted, "calls turned away");
      seen.push(granted);
    }
    found.saw(`${seen.join(", ")} granted of a bucket of 30`);
    return found.outcome(`${rounds} × ${n} calls from three pools`);
  },
};

export const roles = [anonymous, escaping, stolen, mixedUp, raced];
