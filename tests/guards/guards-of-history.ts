import { expect } from "vitest";
import {
  accept,
  addMember,
  alertEvent,
  approvedSignal,
  archivedSignal,
  decide,
  reserve,
  start,
} from "../support/line.ts";
import { checked, granted } from "../support/payments.ts";
import { all, dropTrigger, forbids, given, type Guard, never, refuses, replace } from "./guard.ts";
import { type House, number, one, post, say, signal, trade, undone, yes } from "./house.ts";

/** Something in every table of this list. */
async function lived(house: House): Promise<void> {
  const { code } = await signal(house);
  given(await yes(house, "1001", code));
  given(await say(house, "1001", { type: "help" }));
}

const kept: [string, string, string, (house: House) => Promise<unknown>][] = [
  ["audit_logs", "actor", "id", lived],
  ["approvals", "reason", "approval_id", lived],
  ["evaluations", "critic", "evaluation_id", lived],
  ["events", "agent", "event_id", lived],
  ["event_receipts", "source_name", "receipt_id", lived],
  ["telegram_updates", "kind", "update_id", lived],
  ["signing_keys", "first_seen_at", "key_id", lived],
  ["policy_decisions", "gate", "seq", lived],
  ["kyc_checks", "note", "check_id", (house) => checked(house, number())],
  ["payments", "source_address", "payment_id", async (house) => {
    const buyer = number();
    await checked(house, buyer);
    await granted(house, buyer);
  }],
];

/** An edge that the table of edges does not have, and nothing else stands in the way of. */
const illegal: [string, string, string, (house: House) => Promise<string>][] = [
  ["tasks", "task_id", "status = 'created'", async (house) => (await signal(house)).taskId],
  [
    "task_steps",
    "task_id",
    "status = 'skipped' where node_id = 'publish' and",
    async (house) => (await signal(house)).taskId,
  ],
  [
    "approval_requests",
    "task_id",
    "status = 'consumed', closed_at = private.now()",
    async (house) => (await signal(house)).taskId,
  ],
  ["effects", "task_id", "status = 'unknown'", async (house) => (await reserved(house)).taskId],
];

async function reserved(house: House) {
  const approved = await approvedSignal(house);
  const { effect_id } = given(await reserve(house, approved.work));
  return { ...approved, effect_id };
}

/** A change of a row, by the command that makes it, and the object that its audit rows name. */
const audited: [
  string,
  string,
  (house: House) => Promise<{ object: string; change(): Promise<unknown> }>,
][] = [
  ["members", "insert", (house) => {
    const id = number();
    return Promise.resolve({
      object: "%",
      change: () => addMember(house, "reviewer", `r${id}`, id),
    });
  }],
  ["effects", "update", async (house) => {
    const { effect_id, work } = await reserved(house);
    return { object: `effect:${effect_id}`, change: () => start(house, effect_id, work) };
  }],
  ["tasks", "update", async (house) => {
    const { taskId } = await post(house);
    return {
      object: `task:${taskId}`,
      change: () =>
        house.owner("update public.tasks set goal = 'another' where task_id = $1", [taskId]),
    };
  }],
  ["approvals", "insert", async (house) => {
    const { code } = await trade(house);
    return { object: "approval:", change: () => decide(house, "1001", code) };
  }],
];

/** The receipts' own trigger has another name than the one on the table that became their first partition. */
const appendOnly = (table: string): string =>
  table === "event_receipts" ? "_101_append_only" : "_100_append_only";

export const guardsOfHistory: Guard[] = [
  ...kept.map(([table, column, key, arrange]): Guard => ({
    name: `Rows of ${table} stay as they were written`,
    promise: "history",
    test: `a row of ${table} is not written over, and none is deleted`,
    without: dropTrigger(`public.${table}`, appendOnly(table)),
    async probe(house) {
      await arrange(house);
      const last = `(select max(${key}::text) from public.${table})`;
      await forbids(
        "AGHIS",
        () =>
          house.owner(
            `update public.${table} set ${column} = ${column} where ${key}::text = ${last}`,
          ),
      );
      await forbids(
        "AGHIS",
        () => house.owner(`delete from public.${table} where ${key}::text = ${last}`),
      );
    },
  })),
  {
    name: "The audit is not truncated",
    promise: "history",
    test: "TRUNCATE of the audit is refused to the owner of the tables",
    without: dropTrigger("public.audit_logs", "_100_no_truncate"),
    probe: (house) => forbids("AGHIS", () => house.owner("truncate public.audit_logs")),
  },
  {
    name: "What is audited is not truncated",
    promise: "history",
    test: "TRUNCATE of an audited table is refused to the owner of the tables",
    without: dropTrigger("public.feature_flags", "_800_no_truncate"),
    probe: (house) => forbids("AGHIS", () => undone(house, "truncate public.feature_flags")),
  },
  {
    name: "The retention job alone removes raw deliveries",
    promise: "history",
    test: "a statement that only names the retention job deletes nothing",
    without: replace(
      "private.refuse_history_change",
      "if v_stack ~ (",
      "if current_query() ~ 'prune_history' or v_stack ~ (",
    ),
    async probe(house) {
      await lived(house);
      await forbids(
        "AGHIS",
        () => house.owner("delete from public.event_receipts /* private.prune_history() */"),
      );
    },
  },
  {
    name: "An archived task no longer changes",
    promise: "history",
    test: "an archived task is not written over",
    without: dropTrigger("public.tasks", "_200_frozen"),
    async probe(house) {
      const taskId = await archivedSignal(house);
      await forbids(
        "AGFRZ",
        () => house.owner("update public.tasks set goal = 'another' where task_id = $1", [taskId]),
      );
    },
  },
  ...["task_steps", "artifacts", "effects"].map((table): Guard => ({
    name: `What belongs to an archived task no longer changes: ${table}`,
    promise: "history",
    test: `rows of ${table} of an archived task are not written over`,
    without: dropTrigger(`public.${table}`, "_200_frozen_update"),
    async probe(house) {
      const taskId = await archivedSignal(house);
      await forbids(
        "AGFRZ",
        () =>
          house.owner(`update public.${table} set task_id = task_id where task_id = $1`, [taskId]),
      );
    },
  })),
  ...illegal.map(([table, key, change, arrange]): Guard => ({
    name: `Rows of ${table} move along the edges of the state machine`,
    promise: "machine",
    test: `an edge that ${table} does not have is refused to the owner of the tables`,
    without: dropTrigger(`public.${table}`, "_100_guard_update"),
    async probe(house) {
      const id = await arrange(house);
      const where = change.includes(" where ") ? change : `${change} where`;
      await forbids(
        "AGTRN",
        () => house.owner(`update public.${table} set ${where} ${key} = $1`, [id]),
      );
    },
  })),
  {
    name: "No row begins in the middle",
    promise: "machine",
    test: "an effect that begins as confirmed is refused to the owner of the tables",
    without: dropTrigger("public.effects", "_100_guard_insert"),
    async probe(house) {
      const { effect_id } = await reserved(house);
      await forbids("AGTRN", () =>
        house.owner(
          `insert into public.effects (task_id, step_id, kind, channel, idempotency_key, payload_json, status, confirmed_at)
           select task_id, step_id, kind, channel, idempotency_key || ':2', payload_json, 'confirmed', private.now() from public.effects where effect_id = $1`,
          [effect_id],
        ));
    },
  },
  {
    name: "No machine ends by vanishing",
    promise: "machine",
    test: "an effect is not deleted by the owner of the tables",
    without: dropTrigger("public.effects", "_300_guard_delete"),
    async probe(house) {
      const { effect_id } = await reserved(house);
      await forbids(
        "AGTRN",
        () => house.owner("delete from public.effects where effect_id = $1", [effect_id]),
      );
    },
  },
  ...audited.map(([table, operation, arrange]): Guard => ({
    name: `Every ${operation} of ${table} leaves an audit row`,
    promise: "audit",
    test: `an ${operation} of ${table} is in the audit`,
    without: dropTrigger(`public.${table}`, `_800_audit_${operation}`),
    async probe(house) {
      const { object, change } = await arrange(house);
      const like = object === "%" ? "member:%" : `${object}%`;
      const count = () =>
        one<string>(
          house,
          "select count(*)::text as value from public.audit_logs where object like $1 and after_json ? $2",
          [
            like,
            { members: "member_id", approvals: "approval_id", tasks: "goal" }[table] ?? "status",
          ],
        );
      const before = await count();
      await change();
      expect(await count()).not.toBe(before);
    },
  })),
  {
    name: "A change whose audit row was swallowed does not happen",
    promise: "audit",
    test: "a swallowed audit row takes its change with it",
    without: never("private.audit_rows", "v_written <> v_changed"),
    probe: (house) =>
      forbids("P0001", () =>
        undone(
          house,
          "create function private.planted() returns trigger language plpgsql as 'begin return null; end'",
          "create trigger planted before insert on public.audit_logs for each row execute function private.planted()",
          "insert into public.feature_flags (key, updated_by, reason) values ('planted', 'test', 'test')",
        )),
  },
  {
    name: "A refusal is on record",
    promise: "audit",
    test: "a refused decision is in the audit",
    without: replace(
      "private.refuse",
      "-- A refusal must not fail itself: what is missing is said as such.",
      "return jsonb_strip_nulls(p_extra || jsonb_build_object('refused', v_code, 'reason', p_reason));",
    ),
    async probe(house) {
      const { taskId, code } = await signal(house);
      refuses(await yes(house, "1002", code), "wrong_role");
      expect(
        await one(
          house,
          "select code as value from public.audit_logs where task_id = $1 and outcome = 'refused'",
          [taskId],
        ),
      ).toBe("wrong_role");
    },
  },
  {
    name: "Every delivery leaves a receipt",
    promise: "audit",
    test: "a refused delivery leaves a receipt that stays",
    without: all(dropTrigger("public.event_receipts", appendOnly("event_receipts"))),
    async probe(house) {
      const refused = await accept(house, alertEvent(`n ${Math.random()}`, { action: "NONSENSE" }));
      refuses(refused, "unclassified_action");
      await forbids(
        "AGHIS",
        () =>
          house.owner("delete from public.event_receipts where receipt_id = $1", [
            refused.receipt_id,
          ]),
      );
    },
  },
];
