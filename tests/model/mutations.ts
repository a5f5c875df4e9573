import type { TestDatabase } from "../support/database.ts";

/** Guards that are taken out one at a time: without each, the model must notice. */
export interface Mutation {
  name: string;
  of: string;
  /** What stands in the function's text, and what takes its place; with no text the whole body is one expression. */
  text: string;
  instead: string;
  /** Found soon enough to be looked for in every run of the suite. */
  quick?: true;
}

export const mutations: Mutation[] = [
  {
    name: "one yes fills every slot",
    of: "private.slots_filled(uuid)",
    text:
      "select exists (select 1 from filled f, request r where f.slot = cardinality(r.required_slots))",
    instead: "select exists (select 1 from yes)",
    quick: true,
  },
  {
    name: "a yes outlives its giver's membership",
    of: "private.slots_filled(uuid)",
    text: "and m.status = 'active' and m.role = a.role",
    instead: "",
  },
  {
    name: "what was approved is not compared with what would be done",
    of: "private.approval_problem",
    text: "then 'digest_drift'",
    instead: "then null",
    quick: true,
  },
  {
    name: "whoever asked may answer",
    of: "private.decide",
    text: "then 'self_approval'",
    instead: "then null",
    quick: true,
  },
  {
    name: "a person answers with each of their accounts",
    of: "private.decide",
    text: "then 'dual_control_violation'",
    instead: "then null",
  },
  {
    name: "any role answers",
    of: "private.decide",
    text: "then 'wrong_role'",
    instead: "then null",
    quick: true,
  },
  {
    name: "an answer needs no signature",
    of: "private.signature_problem",
    text: "",
    instead: "begin return null; end",
  },
  {
    name: "a code counts twice",
    of: "private.second_factor_problem",
    text: "and v_step > coalesce(v_factor.last_step, 0)",
    instead: "",
  },
  {
    name: "what lapsed still counts",
    of: "private.approval_problem",
    text: "when p_request.expires_at <= private.now() then 'request_expired'",
    instead: "",
  },
  {
    name: "a stop stops nothing",
    of: "private.stop_problem",
    text: "",
    instead: "begin return null; end",
  },
  {
    name: "a stop that cannot be read is none",
    of: "private.is_stopped",
    text: "scope = p_scope), true)",
    instead: "scope = p_scope), false)",
  },
  {
    name: "T3 is always on",
    of: "private.flag_on",
    text: "",
    instead: "select true",
    quick: true,
  },
  {
    name: "a message counts as often as it comes",
    of: "private.take_update",
    text: "u.update_id = p_update ->> 'update_id'",
    instead: "false",
  },
  {
    name: "an older lease is as good as the newest",
    of: "private.leased_step",
    text: "and s.attempt = p_attempt and s.lease_token = p_lease_token",
    instead: "",
  },
  {
    name: "bytes that nobody evaluated pass",
    of: "private.artifacts_altered",
    text: "",
    instead: "select false",
    quick: true,
  },
  {
    name: "one person resumes alone",
    of: "private.confirmation_problem",
    text: "then 'dual_control_violation'",
    instead: "then null",
    quick: true,
  },
];

/** Takes one guard out of a scratch database; the function returned puts it back. */
export async function takeOut(
  db: TestDatabase,
  { of, text, instead }: Mutation,
): Promise<() => Promise<void>> {
  const [schema, rest] = of.split(".");
  const found = await db.owner<{ definition: string; source: string }>(
    `select pg_get_functiondef(p.oid) as definition, p.prosrc as source from pg_proc p
     where p.pronamespace = $1::regnamespace and p.proname = $2`,
    [schema, rest.split("(")[0]],
  );
  if (found.length !== 1) throw new Error(`${of} is ${found.length} functions`);
  const [{ definition, source }] = found;
  if (!source.includes(text)) throw new Error(`${of} no longer says: ${text}`);
  const mutated = text === "" ? instead : source.replace(text, () => instead);
  await db.pg.exec(
    `set role postgres; ${definition.replace(source, () => mutated)}; set role service_role`,
  );
  return async () =>
    void await db.pg.exec(`set role postgres; ${definition}; set role service_role`);
}
