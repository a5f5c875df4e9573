import { z } from "zod";
import { compare, decimal } from "../_domain/decimal.ts";
import { round4 } from "../_domain/evaluation.ts";
import { highestTier } from "../_domain/plan.ts";
import { type Tier, tiers } from "../_domain/task.ts";
import {
  type DecidingPolicy,
  filled,
  plannedTier,
  rolesFor,
  ruleIn,
  tierIn,
} from "./policy-domain.ts";

const tier = z.enum(["T0", "T1", "T2", "T3"]);
const floor = tier.nullish();
const action = z.string();
const limits = z.record(z.string(), z.unknown());
const yes = z.array(z.object({ person: z.string(), role: z.string() }));
const reduction = z.boolean().nullish();
const marks = {
  total: z.string().nullish(),
  score: z.string().nullish(),
  flagged: z.boolean().nullish(),
  doubted: z.boolean().nullish(),
};

/** A decision as `public.policy_decisions` keeps it: the gate, what it was taken on, and what came out. */
export const decision = z.discriminatedUnion("gate", [
  z.object({
    gate: z.literal("plan"),
    inputs: z.object({ source: z.string(), action, floor }),
    outcome: z.union([z.object({ tier }), z.object({ refused: z.string() })]),
  }),
  z.object({
    gate: z.literal("evaluate"),
    inputs: z.object({ action, floor, ...marks }),
    outcome: z.object({ tier, threshold: z.string(), verdict: z.enum(["pass", "fail"]) }),
  }),
  z.object({
    gate: z.literal("ask"),
    inputs: z.object({ action, floor, reduction }),
    outcome: z.object({ tier, slots: z.array(z.string()), dry_run: z.boolean(), limits }),
  }),
  z.object({
    gate: z.literal("decide"),
    inputs: z.object({ action, role: z.string(), slots: z.array(z.string()) }),
    outcome: z.object({ counts: z.boolean() }),
  }),
  z.object({
    gate: z.literal("fill"),
    inputs: z.object({ action, floor, reduction, yes }),
    outcome: z.object({ filled: z.boolean() }),
  }),
  z.object({
    gate: z.literal("reserve"),
    inputs: z.object({
      action,
      floor,
      reduction,
      ...marks,
      yes,
      dry_run: z.boolean(),
      limits: limits.nullish(),
      /** The limits that it was held against and refused by. */
      exceeded: z.array(z.string()),
    }),
    outcome: z.object({ allowed: z.boolean() }),
  }),
]);
export type Decision = z.infer<typeof decision>;

/** How the new policy's answer stands to the old one's. Where it is looser in anything, it is loosened. */
export type Change = { way: "loosened" | "tightened"; how: string } | null;

const rank = (one: Tier): number => tiers.indexOf(one);
const raised = (policy: DecidingPolicy, name: string, least: Tier | null | undefined): Tier =>
  highestTier([tierIn(policy, name) ?? "T3", ...(least ? [least] : [])]) ?? "T3";

const verdictOf = (
  policy: DecidingPolicy,
  inputs: { [name in keyof typeof marks]?: string | boolean | null },
  threshold: number,
): "pass" | "fail" =>
  Number(inputs.total) >= policy.rubric.pass_total && Number(inputs.score) >= threshold &&
    inputs.flagged === false && inputs.doubted !== true
    ? "pass"
    : "fail";

/** A limit of the policy by its name, wherever it stands; undefined where the policy has none of this name. */
function limitIn(policy: DecidingPolicy, name: string): unknown {
  for (const section of [policy.limits.trading, policy.limits.payments, policy.trading]) {
    if (Object.hasOwn(section, name)) return (section as Record<string, unknown>)[name];
  }
  return undefined;
}

// Of these the larger figure is the stricter one.
const atLeast = new Set(["cool_down_minutes", "min_reward_risk"]);
const number = (value: unknown): string | null =>
  typeof value === "number" || typeof value === "string" ? decimal(String(value)) : null;

/** -1 where `a` is stricter than `b`, 1 where it is looser, 0 where they are alike or cannot be compared. */
function strictness(name: string, a: unknown, b: unknown): -1 | 0 | 1 {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.some((one) => !b.includes(one)) ? 1 : b.some((one) => !a.includes(one)) ? -1 : 0;
  }
  const [x, y] = [number(a), number(b)];
  if (x === null || y === null) return 0;
  const order = compare(x, y);
  return atLeast.has(name) ? -order as -1 | 0 | 1 : order;
}

/** A limit that an account has tightened stays as it is, whatever a policy allows. */
const overridden = (base: DecidingPolicy, name: string, bound: unknown): boolean =>
  strictness(name, bound, limitIn(base, name)) < 0;
const looser = (head: DecidingPolicy, base: DecidingPolicy, name: string, bound: unknown) =>
  strictness(name, limitIn(head, name), bound) > 0 && !overridden(base, name, bound);

export interface Again {
  /** Whether the same policy answers the same. */
  same: boolean;
  /** What the new policy would answer, against what was answered. */
  change(head: DecidingPolicy): Change;
}

const loosened = (how: string): Change => ({ way: "loosened", how });
const tightened = (how: string): Change => ({ way: "tightened", how });
const either = (looser: boolean, stricter: boolean, how: string): Change =>
  looser ? loosened(how) : stricter ? tightened(how) : null;

/** Takes a decision again: by the policy that it was taken by, and by another. */
export function again(base: DecidingPolicy, { gate, inputs, outcome }: Decision): Again {
  switch (gate) {
    case "plan": {
      const under = (policy: DecidingPolicy): Tier | null => {
        const planned = plannedTier(policy, inputs.source, inputs.action);
        return planned && highestTier([planned, ...(inputs.floor ? [inputs.floor] : [])]);
      };
      const was = "tier" in outcome ? outcome.tier : null;
      const place = (one: Tier | null) => one === null ? tiers.length : rank(one);
      return {
        same: under(base) === was,
        change: (head) => {
          const now = under(head);
          const how = `${was ?? "refused"} → ${now ?? "refused"}`;
          return either(place(now) < place(was), place(now) > place(was), how);
        },
      };
    }
    case "evaluate": {
      const under = (policy: DecidingPolicy) => {
        const tier = raised(policy, inputs.action, inputs.floor);
        const threshold = ruleIn(policy, tier)?.min_score ?? 1;
        return { tier, threshold, verdict: verdictOf(policy, inputs, threshold) };
      };
      const now = under(base);
      return {
        same: now.tier === outcome.tier && now.verdict === outcome.verdict &&
          now.threshold === round4(Number(outcome.threshold)),
        change: (head) => {
          const { verdict, threshold } = under(head);
          const how = `${outcome.verdict} (>=${
            Number(outcome.threshold)
          }) → ${verdict} (>=${threshold})`;
          return verdict === outcome.verdict
            ? null
            : either(verdict === "pass", verdict === "fail", how);
        },
      };
    }
    case "ask":
      return asked(base, inputs, outcome);
    case "decide": {
      const under = (policy: DecidingPolicy) =>
        inputs.slots.some((slot) => rolesFor(policy, slot).includes(inputs.role));
      return {
        same: under(base) === outcome.counts,
        change: (head) =>
          either(
            under(head) && !outcome.counts,
            !under(head) && outcome.counts,
            `a yes of ${inputs.role} ${under(head) ? "counts" : "does not count"} for ${
              inputs.slots.join(", ")
            }`,
          ),
      };
    }
    case "fill": {
      const under = (policy: DecidingPolicy): boolean => {
        const rule = ruleIn(
          policy,
          raised(policy, inputs.action, inputs.floor),
          inputs.reduction ?? false,
        );
        return rule !== null && filled(policy, rule.slots, inputs.yes);
      };
      return {
        same: under(base) === outcome.filled,
        change: (head) =>
          either(
            under(head) && !outcome.filled,
            !under(head) && outcome.filled,
            under(head)
              ? "the answers that were too few suffice"
              : "the answers that sufficed are too few",
          ),
      };
    }
    case "reserve": {
      const under = (policy: DecidingPolicy): boolean => {
        const tier = tierIn(policy, inputs.action);
        const rule = ruleIn(
          policy,
          raised(policy, inputs.action, inputs.floor),
          inputs.reduction ?? false,
        );
        // Usage is not kept: what exceeded a limit exceeds every one that is not looser.
        const held = inputs.exceeded.length > 0 &&
          !inputs.exceeded.some((name) => looser(policy, base, name, inputs.limits?.[name]));
        return tier !== null && rule !== null &&
          verdictOf(policy, inputs, rule.min_score) === "pass" &&
          filled(policy, rule.slots, inputs.yes) && (inputs.dry_run || !rule.dry_run) && !held;
      };
      return {
        same: under(base) === outcome.allowed,
        change: (head) =>
          either(
            under(head) && !outcome.allowed,
            !under(head) && outcome.allowed,
            under(head)
              ? "an effect that was refused would start"
              : "an effect that started would be refused",
          ),
      };
    }
  }
}

type Asked = Extract<Decision, { gate: "ask" }>;

function asked(base: DecidingPolicy, inputs: Asked["inputs"], outcome: Asked["outcome"]): Again {
  const under = (policy: DecidingPolicy) => {
    const tier = raised(policy, inputs.action, inputs.floor);
    return { tier, rule: ruleIn(policy, tier, inputs.reduction ?? false) };
  };
  const now = under(base);
  const sameSlots = (slots: readonly string[]) =>
    slots.length === outcome.slots.length && slots.every((slot) => outcome.slots.includes(slot));
  return {
    same: now.rule !== null && now.tier === outcome.tier && sameSlots(now.rule.slots) &&
      now.rule.dry_run === outcome.dry_run &&
      // An account may tighten what the policy says; nothing may loosen it.
      Object.entries(outcome.limits).every(([name, bound]) =>
        strictness(name, bound, limitIn(base, name)) <= 0
      ),
    change: (head) => {
      const { tier, rule } = under(head);
      if (rule === null) return tightened("no rule that can be read: nothing would pass");
      const fewer = outcome.slots.filter((slot) => !rule.slots.some((one) => one === slot));
      const more = rule.slots.filter((slot) => !outcome.slots.includes(slot));
      const moved = Object.entries(outcome.limits).flatMap(([name, bound]) => {
        const value = limitIn(head, name);
        const order = value === undefined ? 0 : strictness(name, value, bound);
        return order < 0 || looser(head, base, name, bound)
          ? [{ order, how: `${name} ${bound} → ${value}` }]
          : [];
      });
      const how = [
        ...(tier === outcome.tier ? [] : [`${outcome.tier} → ${tier}`]),
        ...fewer.map((slot) => `no ${slot}`),
        ...more.map((slot) => `also ${slot}`),
        ...(rule.dry_run === outcome.dry_run
          ? []
          : [rule.dry_run ? "also a dry run" : "no dry run"]),
        ...moved.map(({ how }) => how),
      ].join(", ");
      return either(
        fewer.length > 0 || (outcome.dry_run && !rule.dry_run) ||
          moved.some(({ order }) => order > 0),
        more.length > 0 || (rule.dry_run && !outcome.dry_run) ||
          moved.some(({ order }) => order < 0),
        how,
      );
    },
  };
}
