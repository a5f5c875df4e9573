import type { Input, StepWork } from "../_domain/task.ts";
import {
  distanceText,
  ideaFigures,
  ideaHeading,
  ideaOrigin,
  shortDigest,
} from "../_domain/card.ts";
import { type ShownIdea, shownIdea } from "../_domain/notification.ts";
import { Refusal } from "../_domain/refusal.ts";
import { clean, clip, line, messageLimit } from "../_domain/telegram-text.ts";
import { z } from "zod";

/** What is published, exactly as it goes out: plain text, so that nothing in it can be read as markup. */
export interface Post {
  text: string;
}

const result = z.object({
  summary: z.string().nullish(),
  text: z.string().nullish(),
});

function read(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refusal("insufficient_data", "The artifact is not readable.");
  }
}

function sources(idea: ShownIdea): string[] {
  const cited = [
    ...idea.evidence.slice(0, 4).map((item) =>
      `- ${line(item.node_id ?? "unknown", 64)}, sha256 ${shortDigest(item.checksum)}`
    ),
    ...idea.similar.slice(0, 3).map((item) =>
      `- similar: ${line(item.task_id ?? item.chunk_id ?? "unknown", 64)}, distance ${
        distanceText(item.distance)
      }`
    ),
  ];
  return cited.length === 0 ? ["Sources: the alert alone"] : ["Sources:", ...cited];
}

function ideaPost(content: unknown): string[] {
  const parsed = shownIdea.safeParse(content);
  if (!parsed.success || parsed.data.symbol === null) {
    throw new Refusal("insufficient_data", "The idea names no instrument.");
  }
  const idea = parsed.data;
  const isUpdate = idea.kind === "update";
  if (!isUpdate && idea.entry.value === null) {
    throw new Refusal("insufficient_data", "The idea has no usable price.");
  }
  const figures = ideaFigures(idea);
  return [
    ideaHeading(idea),
    // An exit has what it has: figures it does not carry are left out, not shown as unknown.
    ...(isUpdate ? figures.filter((figure) => !figure.endsWith(": unknown")) : figures),
    ...ideaOrigin(idea),
    ...(idea.summary === null ? [] : [line(idea.summary, 400)]),
    ...sources(idea),
  ];
}

function resultPost(content: unknown): string[] {
  const parsed = result.safeParse(content);
  const text = parsed.success ? clean(parsed.data.text ?? parsed.data.summary ?? "").trim() : "";
  if (text === "") throw new Refusal("insufficient_data", "The result has no text.");
  return [text];
}

/**
 * The post that an idea or a result becomes. It is composed when the step that made the artifact ends, so that the
 * critic and the people see the very text; the same artifact gives the same bytes.
 */
export function postOf(artifact: Pick<Input, "type" | "content">, taskId: string): Post {
  const content = read(artifact.content);
  const body = artifact.type === "idea" ? ideaPost(content) : resultPost(content);
  const signature = `\n${line(taskId, 64)}`;
  return { text: clip(body.join("\n"), messageLimit - signature.length) + signature };
}

/** What this step publishes: the stored post, byte for byte, for that is what was approved. */
export function composePost(work: StepWork): Post {
  const stored = work.inputs.findLast((input) => input.type === "post");
  if (stored) return { text: stored.content };
  const artifact = work.inputs.findLast((input) =>
    input.type === "idea" || input.type === "result"
  );
  if (!artifact) throw new Refusal("insufficient_data", "There is nothing to publish.");
  return postOf(artifact, work.task_id);
}
