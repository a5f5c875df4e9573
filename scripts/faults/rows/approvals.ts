import * as line from "../../../tests/support/line.ts";
import { approvedAccess, checked, quote, reserveAccess } from "../../../tests/support/payments.ts";
import { switchOn } from "../../../tests/support/trading.ts";
import { Findings, type Row } from "../row.ts";

const t3 = { source: "desk", action: "TRADE" };

/** What Postgres raised, by its SQLSTATE; null where nothing was raised. */
export const raisedBy = (work: Promise<unknown>): Promise<string | null> =>
  work.then(() => null, (error) => String(error.code ?? error));

const laterEvaluation = (change: Record<string, string>) => {
  const columns = ["critic", "rubric_sha256", "total", "score", "verdict"];
  return `insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, author, rubric, threshold, ${columns})
    select task_id, step_id, artifact_id, artifact_checksum, author, rubric, threshold,
      ${
    columns.map((name) => change[name] ?? name)
  } from public.evaluations where task_id = $1 returning 1 as one`;
};

const onePerson: Row = {
  id: 22,
  fault: "one person as operator and as owner, with two accounts",
  promise: "two slots need two persons, in SQL",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const taskId = await line.signalAtGate(db, t3);
    const code = await line.openCode(db, taskId);
    const first = await line.decide(db, "1004", code);
    const second = await line.decide(db, "1024", code);
    found.must(!first.refused, `the operator's yes was refused: ${first.refused}`);
    found.must(
      second.refused === "dual_control_violation",
      `the second account got ${second.refused ?? "through"}`,
    );
    found.counted(
      Number(second.refused === "dual_control_violation"),
      "second yes of one person refused",
    );
    const raised = await raisedBy(db.owner(
      `insert into public.approvals (task_id, step_id, tier, approver, decision, request_id, member_id, person_id, role, digest)
       select task_id, step_id, tier, 'tom-owner', decision, request_id, member_id, person_id, 'owner', digest
       from public.approvals where task_id = $1`,
      [taskId],
    ));
    found.must(raised === "23505", `a second row of one person raised ${raised ?? "nothing"}`);
    found.proof(`insert by SQL: ${raised}`);
    const status = await line.statusOf(db, taskId);
    found.must(status === "awaiting_approval", `the task is ${status}`);
    found.saw(`dual_control_violation, ${raised}; task ${status}`);
    return found.outcome("the same person's second account and a row by SQL");
  },
};

const ownRequest: Row = {
  id: 23,
  fault: "the requester approves their own request",
  promise: "refused, and audited",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    for (const actor of ["tradingview:olga", "telegram:1001", "tradingview:OLGA"]) {
      for (const more of [{}, t3]) {
        const taskId = await line.signalAtGate(db, { ...more, actor });
        const code = await line.openCode(db, taskId);
        const { refused } = await line.decide(db, "1001", code);
        found.must(refused === "self_approval", `${actor} got ${refused ?? "through"}`);
        const audited = (await line.refusalsOf(db, taskId)).includes("self_approval") ||
          await db.count("public.audit_logs where code = 'self_approval' and task_id = $1", [
              taskId,
            ]) > 0;
        found.must(audited, "no audit row says so");
        if (refused) found.proof(`${actor}: ${refused}`);
      }
    }
    found.saw("6 of 6 refused and audited");
    return found.outcome("6 requests answered by who asked, T2 and T3");
  },
};

const swaps: [string, string][] = [
  [
    "the post's bytes",
    "update public.artifacts set content = 'all in' where task_id = $1 and type = 'post' returning 1",
  ],
  [
    "the post's bytes and their checksum",
    "update public.artifacts set content = 'all in', checksum = private.sha256_hex('all in') where task_id = $1 and type = 'post' returning 1",
  ],
  [
    "what the critic saw",
    "update public.artifacts a set content = '{}' from public.evaluations e where e.artifact_id = a.artifact_id and a.task_id = $1 returning 1",
  ],
  [
    "the request's payload",
    'update public.tasks set payload_json = \'{"entry": "1"}\' where task_id = $1 returning 1',
  ],
  ["the goal", "update public.tasks set goal = 'something else' where task_id = $1 returning 1"],
];

const swapped: Row = {
  id: 24,
  fault: "the artifact or its inputs change after the approval",
  promise: "the commit refuses, the approval is void",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    for (const [what, sql] of swaps) {
      const { taskId, work, code } = await line.approvedSignal(db);
      found.counted((await db.owner(sql, [taskId])).length, `row changed: ${what}`);
      const { refused } = await line.reserve(db, work);
      found.must(refused === "digest_drift", `after ${what}: ${refused ?? "reserved"}`);
      const [request] = await db.owner<{ status: string }>(
        "select status from public.approval_requests where code = $1",
        [code],
      );
      found.must(
        request.status === "superseded",
        `after ${what} the approval is ${request.status}`,
      );
    }
    found.must(await db.count("public.effects") === 0, "an effect was reserved");
    found.saw(`${swaps.length} of ${swaps.length} digest_drift, approvals superseded, 0 effects`);
    return found.outcome(`${swaps.length} changes as owner of the tables`);
  },
};

const policyChanged: Row = {
  id: 25,
  fault: "the policy changes between approval and execution",
  promise: "refused under the old and the new one",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const { work } = await line.approvedSignal(db);
    const text = `${line.policyText}# reworded\n`;
    await line.activate(db, text);
    found.proof(`active policy is now ${line.sha256(text).slice(0, 12)}`);
    const before = await line.reserve(db, work);
    found.must(Boolean(before.refused), "the old policy's worker reserved");
    const after = await line.reserve(db, work, { p_policy_sha256: line.sha256(text) });
    found.must(
      after.refused === "digest_drift",
      `the new policy's worker got ${after.refused ?? "through"}`,
    );
    found.must(await db.count("public.effects") === 0, "an effect was reserved");
    found.saw(`old: ${before.refused}, new: ${after.refused}, 0 effects`);
    return found.outcome("another policy activated mid-flow");
  },
};

const scoreReplaced: Row = {
  id: 26,
  fault: "the critic's mark is replaced, or given by another critic",
  promise: "the approval is bound to its evaluation; refused",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const changes: [string, Record<string, string>, string[]][] = [
      ["a worse score", { total: "5", score: "round(5 / 9.0, 4)", verdict: "'fail'" }, [
        "critic_rejected",
      ]],
      ["another passing score", { total: "8", score: "round(8 / 9.0, 4)" }, ["digest_drift"]],
      ["another critic", { critic: "'critic:other'" }, ["digest_drift"]],
      ["another rubric", { rubric_sha256: "repeat('a', 64)" }, ["digest_drift"]],
    ];
    for (const [what, change, codes] of changes) {
      const { taskId, work } = await line.approvedSignal(db);
      found.counted(
        (await db.owner(laterEvaluation(change), [taskId])).length,
        `evaluation put in: ${what}`,
      );
      const { refused } = await line.reserve(db, work);
      found.must(codes.includes(String(refused)), `${what}: ${refused ?? "reserved"}`);
      found.saw(`${what}: ${refused}`);
    }
    found.must(await db.count("public.effects") === 0, "an effect was reserved");
    return found.outcome("4 later evaluations by SQL");
  },
};

const otherDryRun: Row = {
  id: 27,
  fault: "the dry run is one of other inputs",
  promise: "its digest is not the commit's; refused",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    await switchOn(db);
    await checked(db, "5001");
    const { taskId, grant, work } = await approvedAccess(db, "5001");
    await quote(db, "3.2");
    const changed = await db.owner(
      `update public.artifacts set content = n.content, checksum = private.sha256_hex(n.content)
       from (select jsonb_set(content::jsonb, '{lines}', '["another"]')::text as content from public.artifacts
         where task_id = $1 and type = 'dry_run') n where task_id = $1 and type = 'dry_run' returning 1`,
      [taskId],
    );
    found.counted(changed.length, "rehearsal rewritten");
    const { refused } = await reserveAccess(db, work, grant);
    found.must(refused === "digest_drift", `the grant was ${refused ?? "reserved"}`);
    found.must(
      await db.count("public.effects where task_id = $1", [taskId]) === 0,
      "an effect was reserved",
    );
    found.saw(`${refused}, 0 effects`);
    return found.outcome("an approved T3 access, its dry run replaced");
  },
};

export const approvals = [
  onePerson,
  ownRequest,
  swapped,
  policyChanged,
  scoreReplaced,
  otherDryRun,
];
