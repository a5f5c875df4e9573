import { z } from "zod";

// cron/jobs.json as Hermes writes it. Keys come and go between its versions: what is not named here passes unread,
// and what is named may be missing.

const text = z.string().nullish();

const schedule = z.object({
  kind: z.string().max(32),
  expr: z.string().max(255).nullish(),
  minutes: z.number().nullish(),
  seconds: z.number().nullish(),
  run_at: z.string().max(64).nullish(),
  display: z.string().max(255).nullish(),
});

export const job = z.object({
  id: z.string().min(1).max(255),
  name: text,
  schedule: z.union([schedule, z.string().max(255)]).nullish(),
  schedule_display: text,
  timezone: text,
  enabled: z.boolean().nullish(),
  state: text,
  paused_at: text,
  paused_reason: text,
  created_at: text,
  next_run_at: text,
  last_run_at: text,
  last_status: text,
  last_error: text,
  last_delivery_error: text,
  failure_streak: z.number().int().nonnegative().nullish(),
  model: text,
  provider: text,
  run_claim: z.unknown().optional(),
  fire_claim: z.unknown().optional(),
});

export const store = z.object({
  jobs: z.array(z.unknown()).max(5000),
  updated_at: text,
});

export type WireJob = z.infer<typeof job>;
