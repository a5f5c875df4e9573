import { findInjection } from "../_domain/injection.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Agent } from "./agent.ts";
import { alertOf, payloadOf, scalars, symbolOf } from "./source-material.ts";

export interface Fact {
  text: string;
  /** Where it stands: a path into the task. */
  source: string;
}

export interface Research {
  symbol: string | null;
  facts: Fact[];
  /** Fields that tried to give orders. They are named, not repeated: what reads this next must not read them. */
  withheld: { source: string; reasons: string[] }[];
  note: string;
}

// Book-keeping of the parser says nothing about the market.
const notFacts = new Set(["repaired", "unknown_fields", "alert_id"]);

/** What is known by looking at the request itself. Nothing is concluded and nothing worded anew. */
export function research(task: StepWork["task"]): Research {
  const alert = alertOf(task);
  const path = alert ? "task.payload.alert" : "task.payload";
  const found: Fact[] = [
    ...(task.goal.trim() === "" ? [] : [{ text: task.goal.trim(), source: "task.goal" }]),
    ...scalars(alert ?? payloadOf(task)).filter(([name]) => !notFacts.has(name))
      .map(([name, value]) => ({ text: `${name}: ${value}`, source: `${path}.${name}` })),
  ];
  if (typeof task.payload === "string" && task.payload.trim() !== "") {
    found.push({ text: task.payload.trim(), source: "task.payload" });
  }
  const facts: Fact[] = [];
  const withheld: Research["withheld"] = [];
  for (const fact of found) {
    const { flagged, reasons } = findInjection(fact.text);
    if (flagged) withheld.push({ source: fact.source, reasons });
    else facts.push(fact);
  }
  return {
    symbol: symbolOf(task),
    facts,
    withheld,
    note: facts.length === 0
      ? "the request states no fact"
      : "facts are quoted from the request; nothing was added",
  };
}

export const researcher: Agent = async (work, context) => {
  const content = await context.tool("artifacts.read", () => Promise.resolve(research(work.task)));
  return {
    artifact: {
      type: "research",
      media_type: "application/json",
      content: JSON.stringify(content),
    },
    output: { facts: content.facts.length, withheld: content.withheld.length },
  };
};
