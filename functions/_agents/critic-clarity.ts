import { criteria } from "../_domain/evaluation.ts";
import { lessen, type Rule } from "./critic-subject.ts";

const longestSummary = 500;
// deno-lint-ignore no-control-regex
const unreadable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]|\p{Surrogate}|\S{400}/u;
const placeholder = /\{\{[^}]{0,80}\}\}|\bundefined\b|\bNaN\b|\[object Object\]/;

/** Troubles with words that a person is to decide on or to read. */
function wordTroubles(name: string, text: string, longest: number): string[] {
  if (text.trim() === "") return [`the ${name} is empty`];
  return [
    ...([...text].length > longest ? [`the ${name} is longer than ${longest} characters`] : []),
    ...(unreadable.test(text) ? [`the ${name} has characters that cannot be read`] : []),
    ...(placeholder.test(text) ? [`the ${name} has an unfilled placeholder`] : []),
  ];
}

/** One mark for each thing that a reader would have to ask about. */
export const judgeClarity: Rule = (work, { policy }) => {
  if (work.type === "unreadable") return { mark: 0, lost: [work.reason] };
  const troubles: string[] = [];
  switch (work.type) {
    case "idea": {
      const { idea } = work;
      if (idea.symbol.trim() === "") troubles.push("the symbol is missing");
      if (idea.kind === "entry" && idea.side === null) troubles.push("an entry has no side");
      if (idea.kind === "entry" && idea.entry.value === null) {
        troubles.push("an entry has no price");
      }
      for (const figure of [idea.entry, idea.stop_loss, ...idea.take_profits, idea.size]) {
        if (figure.origin === "derived" && !figure.rule) {
          troubles.push("a derived figure names no rule");
        }
      }
      troubles.push(...wordTroubles("summary", idea.summary, longestSummary));
      break;
    }
    case "result":
      troubles.push(
        ...wordTroubles("summary", work.result.summary, longestSummary),
        ...wordTroubles("text", work.result.text, policy.guardrails.text.max_published_chars),
      );
      if (work.result.text.trim() === "") return { mark: 0, lost: troubles };
      break;
    case "proposal":
      troubles.push(...wordTroubles("summary", work.proposal.summary, longestSummary));
      if (Object.keys(work.proposal.figures).length === 0) {
        return { mark: 0, lost: [...troubles, "the proposal has no figures"] };
      }
  }
  return lessen(criteria.clarity, troubles.map((reason) => ({ cost: 1, reason })));
};
