import { decodedRuns, readable } from "./injection-text.ts";

/**
 * A deterministic filter for text that came from outside and tries to give orders: it runs before an agent uses
 * the text and again in the critic. It is a tripwire, not the guarantee: the guarantee is that no agent has a tool,
 * tier or approval to give away. Hence it is tuned to stay silent on market talk ("ignore the previous high").
 */
export interface InjectionVerdict {
  flagged: boolean;
  /** Names of the rules that struck, for the red flag; never the text itself. */
  reasons: string[];
}

/** Longer text is not read to its end and therefore flagged: hiding behind bulk must not help. */
export const longestText = 32_768;

// Every gap is bounded and every rule is anchored on words, so the time is linear in the text.
const gap = String.raw`(?:\W{1,4}(?:\w{1,16}\W{1,4}){0,4}?)`;
const orders =
  "(?:instructions?|prompts?|rules|guidelines|directives?|polic(?:y|ies)|safeguards?|guardrails|restrictions|programming|training)";
const mind = "(?:ignore|disregard|forget|override|bypass|disobey|neglect|skip|overrule|discard)";

const phrases = {
  overrides_instructions: new RegExp(
    String
      .raw`\b${mind}${gap}(?:all|any|every|your|the|these|those|previous|prior|above|earlier|preceding|system|my|its|critic)${gap}?${orders}\b|` +
      String
        .raw`\b${mind}\W{1,4}(?:everything|anything|all|what)${gap}?(?:above|before|previously|told|said|instructed)\b|` +
      String
        .raw`\b(?:do not|don'?t|never|stop)\W{1,4}(?:follow|obey|apply|use|enforc)\w{0,4}${gap}${orders}\b`,
  ),
  new_instructions:
    /\b(?:new|updated|real|actual|revised|additional|following|hidden)\W{1,4}(?:system\W{1,4})?(?:instructions?|directives?|prompt|orders from)\b\W{0,4}(?::|-|are\b|is\b|follow|for (?:the )?(?:ai|agent|assistant|model|bot|critic))/,
  changes_role: new RegExp(
    String
      .raw`\b(?:you are|you're|youre) (?:now|no longer)\b(?! (?:long|short|flat|in (?:a )?(?:trade|profit|position)|at (?:risk|breakeven)))|` +
      String
        .raw`\b(?:pretend|act|behave|respond|roleplay|role-play)\W{1,4}(?:to be|as if|as though|like|as)${gap}?(?:an? )?(?:ai|assistant|admin(?:istrator)?|owner|operator|developer|system|root|dan|unrestricted|jailbroken|human)\b|` +
      String
        .raw`\b(?:developer|debug|god|jailbreak|dan|maintenance|admin) mode\b|\bdo anything now\b|\bjailbr[eo]ak`,
  ),
  steers_the_evaluation: new RegExp(
    String
      .raw`\b(?:give|assign|award|return|output|set|rate|score|grade|mark|report)${gap}?(?:score|rating|mark|grade|rubric|verdict|evaluation|quality|this|it|idea|alert|signal)${gap}?(?:of |to |as |at |with |= ?|: ?)?(?:1\.0+|9\/9|9 of 9|10\/10|100 ?%|full marks?|max(?:imum)?|perfect|highest|pass(?:ed|ing)?)\b|` +
      String
        .raw`\b(?:full|perfect|maximum|highest) (?:marks?|score|rating)\b|\bverdict\W{1,4}pass\b|\bquality_score\b|` +
      String
        .raw`\b(?:note|message|instruction|attention)s? (?:to|for) (?:the )?(?:critic|evaluator|judge|reviewer|ai|assistant|model|agent|llm|bot)\b|` +
      String
        .raw`\b(?:critic|evaluator|judge|llm|ai|assistant|model)\W{1,4}(?:must|should|shall|has to|please)\b`,
  ),
  claims_approval: new RegExp(
    String
      .raw`\b(?:already|pre|auto)\W{0,2}(?:matically )?(?:been )?(?:approved|authori[sz]ed|signed off|cleared|whitelisted)\b|` +
      String
        .raw`\b(?:skip|bypass|without|no need for|waive|disable|suppress|needs? no|avoid)${gap}?(?:(?:human |operator |owner |manual |dual )?approvals?|confirmation|the (?:critic|approval|review)|evaluation|guardrails?|safety checks?|dual control|dry.?run)\b|` +
      String
        .raw`\b(?:approve|publish|execute|transfer|withdraw|send|pay)\b${gap}?(?:immediately|at once|right now|automatically|yourself)?\W{1,4}without (?:asking|approval|review|confirm|waiting|human)\w{0,6}\b|` +
      String
        .raw`\b(?:lower|change|set|downgrade|raise|treat)${gap}?(?:risk )?tier${gap}?(?:t[0-3]|0|1|2|3)\b|/approve\W{1,2}[a-z0-9-]{4,40} (?:yes|no)\b`,
  ),
  asks_for_secrets: new RegExp(
    String
      .raw`\b(?:reveal|show|print|repeat|output|display|tell|send|leak|dump|expose|exfiltrate|share|post|include|echo|what(?:'s| is| are))${gap}?(?:system prompt|hidden prompt|initial prompt|(?:your|the|initial|original|secret|hidden|above|system)${gap}?(?:instructions|prompt)|environment variables?|env vars?|api.?keys?|service.?(?:role.?)?(?:token|key)s?|bot.?tokens?|passphrase|passwords?|private keys?|seed phrase|mnemonic|credentials|secrets)\b`,
  ),
  gives_orders_to_a_tool: new RegExp(
    String
      .raw`\b(?:call|invoke|use|run|execute|trigger)${gap}?(?:tool|function|command|shell|webhook|api|sql)\b${gap}?(?:with|to|:|and)\b|` +
      String
        .raw`\b(?:drop|truncate|alter) table\b|\bdelete from\b|\bgrant [a-z, ]{1,40} to\b|\bset (?:local )?role\b|` +
      String
        .raw`\b(?:send|transfer|withdraw|forward|move|wire)${gap}(?:usdt|usdc|btc|eth|ton|funds|money|balance|crypto|coins|deposit)${gap}?to\W{1,4}(?:0x[0-9a-f]{4}|(?:wallet|address|the following|this|my|account)\b)|` +
      String.raw`<script\b|\bjavascript:|\bcurl https?:|\$\(curl\b`,
  ),
};

// Marks of a chat transcript or prompt template: nobody's market note contains them. Matched with the punctuation kept.
const markup =
  /<\|?(?:im_start|im_end|system|assistant|user|endoftext|begin_of_text|eot_id|start_header_id)\|?>|\[\/?inst\]|<<\/?sys>>|<\/?(?:system|assistant|instructions?|tool_call|function_call|untrusted|artifact)>|^\s{0,8}(?:#{1,6}\s{0,4})?(?:(?:assistant|developer|system\s{1,4}(?:message|prompt|note))\s{0,4}:\s|system\s{0,4}:\s.{0,60}?\b(?:you|everything|trusted|must|ignore|approved?|instructions?|from now)\b)|"role"\s{0,4}:\s{0,4}"(?:system|assistant|developer|tool)"|-{3,20}\s{0,4}(?:begin|end|start) (?:system|prompt|instructions?)|!\[[^\]]{0,80}\]\(https?:/m;

function strikes(text: string): string[] {
  const { plain, folded } = readable(text);
  const reasons = Object.entries(phrases).filter(([, rule]) => rule.test(folded)).map(([name]) =>
    name
  );
  if (markup.test(plain)) reasons.push("chat_markup");
  return reasons;
}

/** Checks one or more pieces of external text; null pieces are absent fields. */
export function findInjection(...texts: readonly (string | null | undefined)[]): InjectionVerdict {
  const reasons = new Set<string>();
  for (const whole of texts) {
    if (typeof whole !== "string" || whole === "") continue;
    if (whole.length > longestText) reasons.add("too_long_to_read");
    const text = whole.slice(0, longestText);
    if (readable(text).hidden) reasons.add("hidden_characters");
    for (const reason of strikes(text)) reasons.add(reason);
    // What has to be decoded to be read was encoded for a reader that decodes: a model.
    for (const run of decodedRuns(text)) {
      if (strikes(run).length > 0) reasons.add("encoded_instructions");
    }
  }
  return { flagged: reasons.size > 0, reasons: [...reasons].sort() };
}
