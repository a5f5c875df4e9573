import type { StepWork } from "../../functions/_domain/task.ts";
import { marks } from "./house.ts";
import type { World } from "./world.ts";

/** What the agent of a step hands back: the model's own words, so that both know the same bytes. */
export function resultFor(after: World, work: StepWork, verdict: number): Record<string, unknown> {
  const { node_id: node, inputs } = work;
  const written = (type: string) =>
    after.artifacts.findLast((one) => one.node === node && one.type === type)?.text;
  const proposal = after.task.kind === "signal" ? "idea" : "proposal";
  const type = node === "act" ? proposal : node === "critic" ? "evaluation" : node;
  const artifact = { type, media_type: "application/json", content: written(type) ?? "{}" };
  const post = written("post");
  if (node === "act") return { artifact, ...post === undefined ? {} : { post } };
  if (node !== "critic") return { artifact };
  const read = inputs.findLast((input) => input.node_id === "act" && input.type !== "post");
  return {
    artifact,
    evaluation: {
      artifact_id: read?.artifact_id,
      rubric: marks[verdict],
      red_flags: [],
      checks: [],
      verdict: "pass",
    },
  };
}
