import { setTimeout as sleep } from "node:timers/promises";
import { freezeClock } from "../../../tests/support/clock.ts";
import * as line from "../../../tests/support/line.ts";
import { Findings, type Row } from "../row.ts";

const late: Row = {
  id: 28,
  fault: "the approval expires before, at and during the decision and the commit",
  promise: "the database's clock decides inside the transaction",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const clock = await freezeClock(db, "2027-03-01T10:00:00Z");
    const expiry = async (code: string) =>
      (await db.owner<{ at: string }>(
        "select expires_at::text as at from public.approval_requests where code = $1",
        [code],
      ))[0].at;
    const moved = async (at: string, ms: number) => {
      await clock.set(at);
      await clock.advance(ms / 1000);
    };
    for (
      const [ms, wanted] of [[-1, undefined], [0, "request_expired"], [
        1,
        "request_expired",
      ]] as const
    ) {
      const code = await line.openCode(db, await line.signalAtGate(db));
      await moved(await expiry(code), ms);
      const { refused } = await line.decide(db, "1001", code);
      found.must(refused === wanted, `a yes at T${ms} ms was ${refused ?? "taken"}`);
      await clock.advance(1);
    }
    for (
      const [ms, wanted] of [[-1, undefined], [0, "request_expired"], [
        1,
        "request_expired",
      ]] as const
    ) {
      const { work, code } = await line.approvedSignal(db);
      await moved(await expiry(code), ms);
      const { refused } = await line.reserve(db, work);
      found.must(refused === wanted, `a commit at T${ms} ms was ${refused ?? "taken"}`);
      await clock.advance(3600);
    }
    found.proof("clock set to T-1 ms, T, T+1 ms");
    const rounds = scene.times(60);
    const outcomes = { taken: 0, expired: 0 };
    for (let round = 0; round < rounds; round++) {
      const code = await line.openCode(db, await line.signalAtGate(db));
      await moved(await expiry(code), -1);
      const [{ refused }] = await Promise.all([
        line.decide(db, "1001", code),
        // Preparing and deciding are two calls: the expiry falls before, between and behind them.
        sleep(scene.random() * 40).then(() => clock.advance(0.002)),
      ]);
      found.must(
        refused === undefined || refused === "request_expired" || refused === "signature_mismatch",
        `a raced yes: ${refused}`,
      );
      outcomes[refused ? "expired" : "taken"]++;
    }
    const stamped = await db.count(
      "public.approvals a join public.approval_requests r using (request_id) where a.ts >= r.expires_at",
    );
    found.must(stamped === 0, `${stamped} decisions are stamped after their expiry`);
    found.counted(rounds, "decisions raced against the expiry");
    found.saw(
      `edges as promised; of ${rounds} raced ${outcomes.taken} in time, ${outcomes.expired} refused, ${stamped} stamped late`,
    );
    return found.outcome("clock at the expiry, to the millisecond, and moved during decisions");
  },
};

const removed: Row = {
  id: 29,
  fault: "the approver is removed or demoted after the yes",
  promise: "looked at again at the commit; refused",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const ways: [string, string][] = [
      ["removed", "select api.remove_member('1005', 'test') as answer"],
      [
        "demoted",
        "update public.members set role = 'reviewer' where telegram_user_id = '1001' returning 1",
      ],
    ];
    for (const [way, sql] of ways) {
      const { work } = await line.approvedSignal(db, way === "removed" ? "1005" : "1001");
      found.counted((await db.owner(sql)).length, `approver ${way}`);
      const { refused } = await line.reserve(db, work);
      found.must(refused === "approval_missing", `${way}: ${refused ?? "reserved"}`);
      found.saw(`${way}: ${refused}`);
    }
    found.must(await db.count("public.effects") === 0, "an effect was reserved");
    return found.outcome("the yes of somebody who is no operator any more");
  },
};

const races: Row = {
  id: 30,
  fault: "yes and no at once; two commits at once",
  promise: "one decision, one commit",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const other = db.through(db.connect());
    const found = new Findings();
    const rounds = scene.times(25);
    const tally = { approved: 0, rejected: 0, commits: 0, refusedCommits: 0 };
    for (let round = 0; round < rounds; round++) {
      const taskId = await line.signalAtGate(db);
      const code = await line.openCode(db, taskId);
      await Promise.all([
        line.decide(db, "1001", code, "approve"),
        line.decide(other, "1005", code, "reject"),
      ]);
      const n = await db.count("public.approvals where task_id = $1", [taskId]);
      found.must(n === 1, `${n} decisions on one request`);
      const status = await line.statusOf(db, taskId);
      found.must(["running", "rejected"].includes(status), `the task is ${status}`);
      tally[status === "running" ? "approved" : "rejected"]++;
      if (status !== "running") continue;
      const work = await line.claimPublish(db, taskId);
      found.must(work !== null, "an approved effect is not handed out");
      if (work === null) continue;
      const answers = await Promise.all([
        line.reserve(db, work),
        line.reserve(other, work),
        line.reserve(db, work),
      ]);
      const effects = new Set(answers.map(({ effect_id }) => effect_id).filter(Boolean));
      found.must(effects.size === 1, `${effects.size} effects of one approval`);
      const starts = await Promise.all(
        [db, other, db].map((by) => line.start(by, [...effects][0], work)),
      );
      const started = starts.filter(({ refused }) => !refused).length;
      found.must(started === 1, `${started} starts of one effect`);
      tally.commits += started;
      tally.refusedCommits += starts.length - started;
      await line.confirm(db, [...effects][0], work);
      db.sink.push(String([...effects][0]));
    }
    found.counted(rounds, "rounds of two people in two sessions");
    found.counted(tally.refusedCommits, "second starts refused");
    found.saw(`${tally.approved} approved, ${tally.rejected} rejected, ${tally.commits} commits`);
    return found.outcome(`${rounds} races of two sessions`);
  },
};

const crossed: Row = {
  id: 31,
  fault: "a yes to A, signed over A's digest, is presented for B",
  promise: "refused",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const codes: string[] = [];
    for (let i = 0; i < 4; i++) codes.push(await line.openCode(db, await line.signalAtGate(db)));
    let crossings = 0;
    for (const signedFor of codes) {
      for (const presentedFor of codes) {
        if (signedFor === presentedFor) continue;
        // Somebody between the door and the database, who has a signed yes to another request.
        const between = db.through({
          close: () => Promise.resolve(),
          call(name, args = {}) {
            const update = args.p_update;
            if (name !== "decide" || typeof update !== "object" || update === null) {
              return db.database.call(name, args);
            }
            const intent = {
              type: "approve",
              code: presentedFor,
              decision: "approve",
              reason: null,
            };
            return db.database.call(name, { ...args, p_update: { ...update, intent } });
          },
        });
        const { refused } = await line.decide(between, "1001", signedFor);
        found.must(
          refused === "signature_mismatch",
          `a yes to another request was ${refused ?? "taken"}`,
        );
        crossings += Number(refused === "signature_mismatch");
      }
    }
    const foreign = await line.decide(db, "1001", "T2-20250928-0012");
    found.must(
      foreign.refused === "unknown_request",
      `an id of nobody got ${foreign.refused ?? "through"}`,
    );
    found.must(await db.count("public.approvals") === 0, "a decision is on record");
    found.counted(crossings, "crossed pairs refused with signature_mismatch");
    found.saw(`${crossings} of 12 refused, unknown id: ${foreign.refused}, 0 decisions`);
    return found.outcome("12 pairs of requests, and an id that nobody has");
  },
};

export const deciding = [late, removed, races, crossed];
