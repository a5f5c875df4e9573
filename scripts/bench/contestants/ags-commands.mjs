// The api commands as our worker calls them: text parameters with a cast, prepared, as service_role.
import { createHash, randomUUID } from "node:crypto";
import { connect } from "../server/databases.mjs";

/** A refusal in a measurement is no result: it would be counted as fast. */
function accepted(answer, what) {
  const refusal = (Array.isArray(answer) ? answer : [answer]).find((one) => one?.refused);
  if (refusal) throw new Error(`${what} was refused: ${refusal.refused} ${refusal.reason ?? ""}`);
  return answer;
}

export async function openCommands(url, policySha256, connections) {
  const sql = connect(url, {
    max: connections,
    connection: { role: "service_role", application_name: "ags-bench" },
  });
  const call = async (text, params, what) => {
    const [{ result }] = await sql.unsafe(text, params, { prepare: true });
    return accepted(result, what);
  };
  const [{ combined, hints }] = await sql.unsafe(
    `select to_regproc('api.complete_and_claim_steps') is not null as combined,
       to_regproc('api.hint_work') is not null as hints`,
  );
  // Every connection open before anything is measured.
  await Promise.all(Array.from({ length: connections }, () => sql`select pg_sleep(0.05)`));
  const run = randomUUID().slice(0, 8);
  let sent = 0;

  const claim = (worker, limit, agents) =>
    call(
      "select api.claim_steps($1::text, $2::text::integer, $3::text::text[]) as result",
      [worker, String(limit), arrayOf(agents)],
      "a claim",
    );
  const complete = (results) =>
    call(
      "select api.complete_steps($1::text::jsonb, $2::text) as result",
      [JSON.stringify(results), policySha256],
      "a completion",
    );

  return {
    combined,
    hints,
    close: () => sql.end({ timeout: 5 }),
    /** A word to idle workers, in a transaction of its own. */
    hint: () => call("select api.hint_work() as result", [], "a hint"),
    listen: (onHint) => sql.listen("dags_work", onHint),
    /** Every connection hands its counters to the server's statistics. */
    flush: () =>
      Promise.all(
        Array.from({ length: connections }, () =>
          sql`select pg_stat_force_next_flush(), pg_sleep(0.05)`),
      ),
    accept: () => {
      const id = `${run}-${sent++}`;
      // Spread over doors: the intake limit of one source is policy, not speed.
      const event = {
        source: "bench",
        source_name: `door-${sent % 64}`,
        body_sha256: createHash("sha256").update(id).digest("hex"),
        body: "",
        actor: "bench",
        goal: "A task of the bench",
        action: "READ",
        payload: { id },
      };
      return call(
        "select api.accept_event($1::text::jsonb) as result",
        [JSON.stringify(event)],
        "an event",
      );
    },
    claim,
    complete,
    /** Hands results in and takes the next steps: one call where the database has one for it, two where not. */
    next: async (results, worker, limit, agents) => {
      if (!combined) {
        if (results.length > 0) await complete(results);
        return await claim(worker, limit, agents);
      }
      const { answers, claimed } = await call(
        "select api.complete_and_claim_steps($1::text::jsonb, $2::text, $3::text, $4::text::integer, $5::text::text[]) as result",
        [JSON.stringify(results), policySha256, worker, String(limit), arrayOf(agents)],
        "a batch",
      );
      accepted(answers, "a completion");
      return claimed;
    },
    plan: (work, nodes) =>
      call(
        "select api.record_plan($1::text::uuid, $2::text::integer, $3::text::uuid, $4::text::jsonb, $5::text) as result",
        [...leaseOf(work), JSON.stringify({ flow: "answer", nodes }), policySha256],
        "a plan",
      ),
    recordEffect: (work) =>
      call(
        "select api.reserve_effect($1::text::uuid, $2::text::integer, $3::text::uuid, 'record', 'internal', $4::text, $5::text::jsonb, $6::text) as result",
        [
          ...leaseOf(work),
          work.task_id,
          JSON.stringify({ artifact_id: null, checksum: null }),
          policySha256,
        ],
        "an effect",
      ),
    archive: (work) =>
      call(
        "select api.archive_task($1::text::uuid, $2::text::integer, $3::text::uuid, '[]'::jsonb) as result",
        leaseOf(work),
        "the archive",
      ),
  };
}

const arrayOf = (words) => words === null ? null : `{${words.join(",")}}`;

const leaseOf = (work) => [work.step_id, String(work.attempt), work.lease_token];

export const resultOf = (work, result = {}) => ({
  step_id: work.step_id,
  attempt: work.attempt,
  lease_token: work.lease_token,
  result,
});

/** plan → read0 → … → critic → publish → archive: length + 4 steps, one after the other. */
export function chainOf(length) {
  const reads = Array.from({ length }, (_, n) => ({
    id: `read${n}`,
    agent: "exec",
    after: [n === 0 ? "plan" : `read${n - 1}`],
  }));
  return [
    { id: "plan", agent: "planner" },
    ...reads,
    { id: "critic", agent: "critic", after: [`read${length - 1}`] },
    { id: "publish", agent: "exec", after: ["critic"] },
    { id: "archive", agent: "orchestrator", after: ["publish"] },
  ].map((node) => ({ action: "READ", ...node }));
}

/** Accepted and planned tasks, through the front door, several at once. */
export async function plannedTasks(commands, tasks, nodes, clients) {
  let left = tasks;
  let planned = 0;
  const accept = async () => {
    while (left-- > 0) await commands.accept();
  };
  await Promise.all(Array.from({ length: clients }, accept));
  const plan = async (_, n) => {
    for (;;) {
      const work = await commands.claim(`plan-${n}`, 10, ["planner"]);
      if (work.length === 0) return;
      for (const step of work) {
        await commands.plan(step, nodes);
        planned++;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, plan));
  if (planned !== tasks) throw new Error(`${planned} of ${tasks} tasks were planned`);
}
