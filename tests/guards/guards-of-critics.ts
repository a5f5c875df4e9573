import { expect } from "vitest";
import {
  accept,
  alertEvent,
  claim,
  complete,
  marks,
  plan,
  resultOf,
  runToGate,
} from "../support/line.ts";
import { all, drop, dropConstraint, given, type Guard, never, refuses, replace } from "./guard.ts";
import { type House, one } from "./house.ts";

/** The verdict on a signal that was given these marks. */
async function marked(house: House, rubric: Record<string, number>): Promise<string> {
  const { task_id } = given(await accept(house, alertEvent(`mark ${Math.random()}`)));
  await runToGate(house, rubric as typeof marks);
  const verdict = await one<string>(
    house,
    "select verdict as value from public.evaluations where task_id = $1",
    [task_id],
  );
  if (!verdict) throw new Error("there is no evaluation");
  return verdict;
}

async function atTheCritic(house: House) {
  given(await accept(house, alertEvent(`critic ${Math.random()}`)));
  for (const agents of [["planner"], ["researcher", "retriever"], ["trader"]]) {
    for (const step of await claim(house, agents)) {
      if (step.agent_class === "planner") given(await plan(house, step));
      else given((await complete(house, step, resultOf(step)))[0]);
    }
  }
  const [work] = await claim(house, ["critic"]);
  return work;
}

export const guardsOfCritics: Guard[] = [
  {
    name: "The critic is never the author (the check and the table's constraint)",
    promise: "critic",
    test: "a critic does not mark its own work",
    without: all(
      never("private.store_evaluation", "v_artifact.agent = p_critic"),
      dropConstraint("public.evaluations", "critic_is_not_the_author"),
    ),
    async probe(house) {
      const work = await atTheCritic(house);
      await house.owner("update public.artifacts set agent = $2 where task_id = $1", [
        work.task_id,
        work.agent,
      ]);
      refuses((await complete(house, work, resultOf(work)))[0], "author_is_critic");
    },
  },
  {
    name: "Marks lie in their ranges",
    promise: "critic",
    test: "a mark above its range is refused",
    without: replace(
      "private.store_evaluation",
      "then (v_marks ->> c.name)::numeric not between 0 and c.most else true end",
      "then false else true end",
    ),
    async probe(house) {
      const work = await atTheCritic(house);
      const rubric = { ...marks, evidence: 1.5, clarity: 2.5 };
      refuses((await complete(house, work, resultOf(work, rubric)))[0], "score_out_of_range");
    },
  },
  {
    name: "The mark is for the bytes that are stored",
    promise: "critic",
    test: "a mark for bytes that were swapped is refused",
    without: replace(
      "private.store_evaluation",
      "private.sha256_hex(v_artifact.content) <> v_artifact.checksum",
      "false",
    ),
    async probe(house) {
      const work = await atTheCritic(house);
      await house.owner(
        "update public.artifacts set content = '{}' where task_id = $1 and type = 'idea'",
        [work.task_id],
      );
      refuses((await complete(house, work, resultOf(work)))[0], "digest_drift");
    },
  },
  {
    name: "A score below the policy's is no pass (the verdict and the table's constraint)",
    promise: "critic",
    test: "seven points of nine are no pass for T2",
    without: all(
      drop("private.store_evaluation", "and v_score >= v_threshold"),
      dropConstraint("public.evaluations", "a_pass_has_seven_points_and_no_red_flag"),
    ),
    probe: async (house) => expect(await marked(house, { ...marks, clarity: 0 })).toBe("fail"),
  },
  {
    name: "A lost mark on policy is no pass (the flag)",
    promise: "critic",
    test: "eight points of nine are no pass where the policy's is missing",
    without: replace(
      "private.store_evaluation",
      "(v_marks ->> m.name)::numeric < 1 and not exists",
      "false and not exists",
    ),
    probe: async (house) => expect(await marked(house, { ...marks, policy: 0 })).toBe("fail"),
  },
  {
    name: "The critic's no ends the task before people are asked (the end and the question)",
    promise: "critic",
    test: "nobody is asked about what the critic did not pass",
    without: all(
      replace("private.reject_failed_evaluations", "and e.verdict = 'fail'", "and false"),
      never(
        "private.asking_problem",
        "v_evaluation.verdict <> 'pass' or v_evaluation.score < p_rule.min_score",
      ),
    ),
    async probe(house) {
      const { task_id } = given(await accept(house, alertEvent(`no ${Math.random()}`)));
      await runToGate(house, { ...marks, clarity: 0 });
      expect(
        await one(house, "select status as value from public.tasks where task_id = $1", [task_id]),
      ).toBe("rejected");
    },
  },
];
