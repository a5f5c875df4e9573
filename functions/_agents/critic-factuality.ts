import { criteria } from "../_domain/evaluation.ts";
import type { Json } from "../_domain/json.ts";
import { derives, type Known, rewardRiskHolds, sameNumber } from "./critic-derivation.ts";
import type { JudgedFigure, JudgedIdea } from "./critic-idea.ts";
import { lessen, type Rule, type Subject } from "./critic-subject.ts";
import { alertOf, payloadOf, scalars, sourcesAmong } from "./source-material.ts";

interface Loss {
  cost: number;
  reason: string;
}

// One false figure takes a work below every threshold above the rubric's floor; a wrong label does not.
const falseFigure = (reason: string): Loss => ({ cost: 2, reason });
const falseLabel = (reason: string): Loss => ({ cost: 1, reason });

const text = (value: Json | undefined): string | null => typeof value === "string" ? value : null;
const list = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** A figure says where it is from, and there it must be found. Not knowing is honest and costs nothing. */
function figureLosses(name: string, figure: JudgedFigure, given: string[], known: Known): Loss[] {
  const { origin, value } = figure;
  if (origin === "unknown") {
    if (value !== null) return [falseFigure(`${name} has a value although it says unknown`)];
    return given.length > 0 ? [falseLabel(`${name} says unknown, the alert states it`)] : [];
  }
  if (value === null) return [falseFigure(`${name} says ${origin} and has no value`)];
  if (origin === "alert") {
    return given.some((stated) => sameNumber(stated, value))
      ? []
      : [falseFigure(`${name} is not the alert's`)];
  }
  if (given.length > 0) return [falseFigure(`${name} says derived, the alert states it`)];
  return derives(figure, known) ? [] : [falseFigure(`${name} does not follow from its rule`)];
}

function ideaLosses(idea: JudgedIdea, subject: Subject): Loss[] {
  const alert = alertOf(subject.task);
  if (alert === null) {
    return [{ cost: criteria.factuality, reason: "there is no alert to hold it against" }];
  }
  const known: Known = { idea, alert, policy: subject.policy };
  const stated = (name: string) => [text(alert[name])].filter((value) => value !== null);
  const losses = [
    ...figureLosses("entry", idea.entry, stated("price"), known),
    ...figureLosses("stop_loss", idea.stop_loss, stated("stop_loss"), known),
    ...figureLosses("size", idea.size, stated("size"), known),
    ...idea.take_profits.flatMap((figure) =>
      figureLosses("take_profit", figure, list(alert.take_profits), known)
    ),
  ];
  const omitted = list(alert.take_profits).filter((price) =>
    !idea.take_profits.some(({ value }) => sameNumber(value, price))
  );
  if (omitted.length > 0) losses.push(falseLabel("a take profit of the alert is left out"));
  if (!rewardRiskHolds(idea)) {
    losses.push(falseFigure("reward_risk does not follow from the figures"));
  }
  if (idea.symbol !== text(alert.symbol)) losses.push(falseFigure("the symbol is not the alert's"));
  const kind = alert.kind === "entry" ? "entry" : "update";
  if (idea.kind !== kind) losses.push(falseFigure(`the alert is no ${idea.kind}`));
  if (idea.side !== text(alert.side)) losses.push(falseFigure("the side is not the alert's"));
  for (const name of ["exchange", "timeframe", "strategy", "note"] as const) {
    if (idea[name] !== null && idea[name] !== text(alert[name])) {
      losses.push(falseLabel(`the ${name} is not the alert's`));
    }
  }
  return losses;
}

// Not the digit of a label such as TP1 or of a name such as US30.
const numbers = /(?<![\w.])\d+(?:[.,]\d+)*/g;
const links = /https?:\/\/[^\s"'<>]{1,500}/g;
const plain = (number: string) =>
  number.replace(/,/g, "").replace(/^0+(?=\d)/, "").replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
const parts = (text: string): string[] => [
  ...(text.match(numbers) ?? []).map(plain),
  ...(text.match(links) ?? []),
];

/** Numbers and links that stand in none of the sources: where an invention would do harm. */
export function invented(text: string, sources: string[]): string[] {
  const known = new Set(sources.flatMap(parts));
  return [...new Set(parts(text))].filter((part) => !known.has(part));
}

function writtenSources({ task, inputs }: Subject): string[] {
  return [
    task.goal,
    JSON.stringify(task.payload),
    ...sourcesAmong(inputs).map(({ content }) => content),
  ];
}

/** True to its sources: 3, less two for each figure and one for each label that is not. */
export const judgeFactuality: Rule = (work, subject) => {
  const most = criteria.factuality;
  switch (work.type) {
    case "unreadable":
      return { mark: 0, lost: ["what cannot be read cannot be checked"] };
    case "idea": {
      const { idea } = work;
      const sources = [
        ...writtenSources(subject),
        ...[idea.entry, idea.stop_loss, ...idea.take_profits, idea.size]
          .flatMap(({ value, rule }) => [value ?? "", rule ?? ""]),
        idea.reward_risk ?? "",
        ...idea.similar.map(({ distance }) => String(distance)),
      ];
      return lessen(most, [
        ...ideaLosses(idea, subject),
        ...invented(idea.summary, sources).map((part) =>
          falseFigure(`the summary invents ${part}`)
        ),
      ]);
    }
    case "result": {
      if (work.result.text.trim() === "") {
        return { mark: 0, lost: ["an empty text states nothing"] };
      }
      const sources = writtenSources(subject);
      return lessen(
        most,
        invented(`${work.result.summary}\n${work.result.text}`, sources)
          .map((part) => falseFigure(`${part} is in no source`)),
      );
    }
    case "proposal": {
      const asked = new Map(scalars(payloadOf(subject.task)));
      const { figures } = work.proposal;
      const names = new Set([...Object.keys(figures), ...asked.keys()]);
      return lessen(most, [
        ...[...names].filter((name) => figures[name] !== asked.get(name))
          .map((name) => falseFigure(`${name} is not what was asked for`)),
        ...invented(`${work.proposal.summary}\n${work.proposal.text}`, writtenSources(subject))
          .map((part) => falseFigure(`${part} is in no source`)),
      ]);
    }
  }
};
