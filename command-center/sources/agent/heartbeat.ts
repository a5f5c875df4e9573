import { z } from "zod";
import { mask } from "../../../functions/_domain/mask.ts";
import { type Artifact } from "../artifact.ts";
import { instantOf } from "../instant.ts";
import { parsed } from "../json.ts";
import { Unanswered } from "../unanswered.ts";

const instant = z.union([z.string().max(64), z.number()]);
const words = z.string().max(2000).transform((text) => mask(text).slice(0, 500));

/** What an agent writes about itself every so often: JSON with its own time in it. Other keys pass unread. */
const document = z.object({
  at: instant.nullish(),
  status: z.enum(["idle", "busy", "degraded", "rate_limited"]).nullish(),
  pid: z.number().int().positive().nullish(),
  last_success_at: instant.nullish(),
  dependency: z.string().max(200).nullish(),
  failure: words.nullish(),
  claim: z.object({
    id: z.string().min(1).max(200),
    claimed_at: instant.nullish(),
    last_activity_at: instant.nullish(),
  }).nullish(),
});

export interface Heartbeat {
  at: string;
  says: "idle" | "busy" | "degraded" | "rate_limited" | null;
  pid: number | null;
  last_success_at: string | null;
  dependency: string | null;
  failure: string | null;
  claim: { id: string; claimed_at: string | null; last_activity_at: string | null } | null;
}

/** A heartbeat file: JSON, or a bare time, or empty, where its own time of change is the time. */
export function heartbeatOf({ text, modified_at }: Artifact): Heartbeat {
  const trimmed = text.trim();
  const bare = trimmed === "" ? modified_at : instantOf(trimmed.split(/\s+/)[0]);
  if (bare !== null) return { ...nothing, at: bare };
  const said = parsed(document, trimmed, "the heartbeat");
  const at = said.at === null || said.at === undefined ? modified_at : instantOf(said.at);
  if (at === null) throw new Unanswered("the heartbeat has no readable time");
  return {
    at,
    says: said.status ?? null,
    pid: said.pid ?? null,
    last_success_at: instantOf(said.last_success_at),
    dependency: said.dependency ?? null,
    failure: said.failure ?? null,
    claim: said.claim
      ? {
        id: said.claim.id,
        claimed_at: instantOf(said.claim.claimed_at),
        last_activity_at: instantOf(said.claim.last_activity_at),
      }
      : null,
  };
}

const nothing = {
  says: null,
  pid: null,
  last_success_at: null,
  dependency: null,
  failure: null,
  claim: null,
};
