import type { TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  policy,
  policyText,
  sha256,
} from "../support/line.ts";
import { apply } from "./model.ts";
import { Player } from "./player.ts";
import { scratch } from "./scratch.ts";
import type { Policy, World } from "./world.ts";
import { newWorld, people, policies } from "./house.ts";

/** A database in which every run begins, and in which none leaves a trace: a run is one transaction that is taken back. */
export interface Base {
  db: TestDatabase;
  /** What the policy of this label is known by, and each person. */
  policySha: Map<string, string>;
  personIds: string[];
  gates: Map<string, { taskId: string; world: World }>;
}

export const began = Date.UTC(2027, 4, 1, 10);
export const iso = (at: number): string => new Date(at).toISOString();
export const keyId = sha256("\0".repeat(32)).slice(0, 16);

/** The file that says what the model's policy says. */
function bodyOf(rules: Policy): unknown {
  const approvals = Object.fromEntries(
    Object.entries(rules.slots).map(([tier, slots]) => [tier, [
      `critic>=${rules.score[tier]}`,
      ...slots,
      ...tier === "T3" ? ["dry_run_required"] : [],
    ]]),
  );
  const posts = rules.tiers.PUBLISH === "T3";
  const { T2, T3 } = policy.risk_tiers;
  return {
    ...policy,
    approvals: { ...policy.approvals, ...approvals },
    roles: { ...policy.roles, ...rules.fills },
    risk_tiers: posts
      ? { ...policy.risk_tiers, T2: T2.filter((a) => a !== "PUBLISH"), T3: [...T3, "PUBLISH"] }
      : policy.risk_tiers,
  };
}

const requesters = [null, 4, 1];
export const gateKey = (kind: string, requester: number | null): string => `${kind} ${requester}`;

export async function openBase(db: TestDatabase): Promise<Base> {
  const owner = (sql: string, params?: unknown[]) => db.owner(sql, params);
  await activate(db);
  await db.pg.exec(`set role postgres; ${scratch}; set role service_role`);
  await db.pg.query("select set_config('model.now', $1, false)", [iso(began)]);
  for (const { name, telegram, role, person } of people) {
    const first = people.find((one) => one.person === person)!.name;
    const { member_id } = await addMember(
      db,
      role,
      name,
      telegram,
      first === name ? undefined : first,
    );
    await owner("update public.members set auth_user_id = member_id where member_id = $1", [
      member_id,
    ]);
    if (role === "reviewer") continue;
    await owner("select api.enroll_second_factor($1, repeat('A', 64), 'test')", [name]);
  }
  await db.database.call("report_signing_key", {
    p_public_key: Buffer.alloc(32).toString("base64"),
  });
  await owner(
    "select api.open_account($1, 'test')",
    [JSON.stringify({
      account_id: "paper-1",
      channel: "paper",
      currency: "USDT",
      opening_balance: "10000",
    })],
  );
  // The switch between policies is the two rows; how a policy comes to be approved has tests of its own.
  const policySha = new Map<string, string>();
  for (const rules of policies) {
    const text = rules.label === "shipped" ? policyText : `${policyText}\n# ${rules.label}\n`;
    policySha.set(rules.label, sha256(text));
    if (rules.label === "shipped") continue;
    await owner(
      `insert into public.policies (policy_sha256, version, policy_text, body, status, activated_by)
       values ($1, 2, $2, $3, 'retired', 'test')`,
      [sha256(text), text, JSON.stringify(bodyOf(rules))],
    );
  }
  const persons = await db.owner<{ person: string; telegram: string }>(
    "select person_id as person, telegram_user_id as telegram from public.members",
  );
  const personIds: string[] = [];
  for (const { telegram, person } of people) {
    personIds[person] = persons.find((row) => row.telegram === telegram)!.person;
  }
  const base: Base = { db, policySha, personIds, gates: new Map() };
  for (const kind of ["signal", "trade"] as const) {
    for (const requester of requesters) {
      const taskId = await enter(base, kind, requester);
      const before = newWorld(kind, requester, began);
      const command = { do: "rework", text: 0, marks: 0, rehearsed: true } as const;
      const { world, answers } = apply({ ...before, now: began - 1 }, command)!;
      await new Player(base, taskId).play(before, world, command, answers);
      base.gates.set(gateKey(kind, requester), { taskId, world });
    }
  }
  await db.database.call("sweep");
  await owner("create table model.began as select max(l.id) as id from public.audit_logs l");
  return base;
}

let bodies = 0;
export async function enter(base: Base, kind: string, requester: number | null): Promise<string> {
  const person = people.find((one) => one.person === requester);
  const { task_id } = await accept(
    base.db,
    alertEvent(`${kind} ${bodies++}`, {
      goal: kind,
      ...kind === "trade" ? { source: "desk", action: "TRADE" } : {},
      ...person ? { actor: `${kind === "trade" ? "desk" : "tradingview"}:${person.name}` } : {},
    }),
  );
  return String(task_id);
}
