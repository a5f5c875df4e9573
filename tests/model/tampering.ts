import type { Outcome, World } from "./world.ts";
import { marks, scoreOf } from "./house.ts";
import { gating } from "./approving.ts";
import { ended } from "./stopping.ts";

/**
 * What the owner of the tables could write past every function. It cannot be prevented; that it voids what people
 * approved is what the digest is for.
 */
export const tamperings = [
  "proposal",
  "proposal and its checksum",
  "post",
  "further post",
  "score",
  "critic",
  "expiry",
  "digest",
  "tier",
  "tenant",
  "goal",
  "slots",
  "tier of the request",
  "dry run",
  "dry run and its checksum",
] as const;
export type Tampering = typeof tamperings[number];

export function tamper(world: World, what: Tampering): Outcome | null {
  const { task, artifacts, requests } = world;
  const request = requests.at(-1);
  const newest = (...types: string[]) => artifacts.findLast(({ type }) => types.includes(type));
  const proposal = newest("idea", "proposal");
  const post = newest("post");
  const rehearsal = newest("dry_run");
  if (ended.includes(task.status)) return null;
  const evaluate = (change: { marks: number; critic: string }) => {
    const now = gating(world);
    if (now === undefined) return null;
    const { critic } = change;
    world.evaluations.push({
      ...now,
      critic,
      rubric: `planted ${change.marks}`,
      score: scoreOf(change.marks),
    });
    return {};
  };
  const write = (artifact: typeof proposal, text: string, sum: boolean) => {
    if (artifact === undefined) return null;
    artifact.text = text;
    if (sum) artifact.stored = text;
    return {};
  };
  const change = <T extends object>(row: T | undefined, values: Partial<T>) =>
    row === undefined ? null : (Object.assign(row, values), {});
  switch (what) {
    case "proposal":
      return write(proposal, "{}", false);
    case "proposal and its checksum":
      return write(proposal, "{}", true);
    case "post":
      return write(post, "all in", true);
    case "further post":
      if (post === undefined) return null;
      artifacts.push({ ...post, text: "all in", stored: "all in" });
      return {};
    case "score":
      return evaluate({ marks: 1, critic: gating(world)?.critic ?? "" });
    case "critic":
      return evaluate({ marks: marks.length - 2, critic: "another" });
    case "expiry":
      return change(request, { expires: (request?.expires ?? 0) + 86_400_000 });
    case "digest":
      return change(request, { digest: "planted" });
    case "tier":
      return change(task, { tier: "T1" });
    case "tenant":
      return change(task, { tenant: "other" });
    case "goal":
      return change(task, { goal: "another goal" });
    case "slots":
      return change(request, { slots: ["operator_approval"] });
    case "tier of the request":
      return change(request, { tier: "T1" });
    case "dry run":
      return write(rehearsal, "{}", false);
    default:
      return write(rehearsal, "{}", true);
  }
}
