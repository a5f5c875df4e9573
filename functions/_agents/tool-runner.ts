import { Refusal } from "../_domain/refusal.ts";
import type { AgentContext } from "./agent.ts";

/** What an agent may call, and how often everybody together may. */
export interface ToolRules {
  /** `name:version`, for the refusal that a person reads. */
  agent: string;
  allowed: readonly string[];
  /** Tools that are counted; calls of the others ask nobody, so a T0 step is no slower for the counting. */
  metered: Readonly<Record<string, number>>;
  /** Takes one token; answers null, or the seconds until there may be one. */
  take: (tool: string) => Promise<number | null>;
}

export type ToolRunner = AgentContext["tool"];

/**
 * Runs a tool if the agent's allowlist names it and a token is left. The name is compared as it is: no case, no
 * look-alike, nothing an object inherits. Throws `tool_denied` and `rate_limited`, and then `run` was not called.
 */
export const toolRunner = ({ agent, allowed, metered, take }: ToolRules): ToolRunner =>
async (
  name,
  run,
) => {
  if (typeof name !== "string" || !allowed.includes(name)) {
    throw new Refusal("tool_denied", `${agent} may not call ${String(name).slice(0, 64)}.`);
  }
  if (Object.hasOwn(metered, name)) {
    const wait = await take(name);
    if (wait !== null) {
      throw new Refusal("rate_limited", `${name} is used up for now: wait ${wait} seconds.`, {
        tool: name,
        retry_after: wait,
      });
    }
  }
  return await run();
};

/**
 * The context with its capabilities behind their tools: each works only while the tool of its name is running, so an
 * agent that calls one past `tool` is refused as well, listed or not.
 */
export function behindTools(context: AgentContext): AgentContext {
  const running = new Map<string, number>();
  const count = (name: string, by: number) => running.set(name, (running.get(name) ?? 0) + by);
  const within = <Args extends unknown[], Result>(
    name: string,
    call: (...args: Args) => Promise<Result>,
  ) =>
  (...args: Args): Promise<Result> =>
    (running.get(name) ?? 0) > 0
      ? call(...args)
      : Promise.reject(new Refusal("tool_denied", `${name} was called past its tool.`));
  const { judge, market, account, remember } = context;
  return {
    ...context,
    tool: (name, run) =>
      context.tool(name, async () => {
        count(name, 1);
        try {
          return await run();
        } finally {
          count(name, -1);
        }
      }),
    search: within("chunks.search", context.search),
    embed: within("embed", context.embed),
    judge: judge &&
      { name: judge.name, score: within("llm.judge", (input) => judge.score(input)) },
    ...(market && { market: within("quotes.read", market) }),
    ...(remember && { remember: within("artifacts.read", remember) }),
    ...(account && { account: within("accounts.read", account) }),
  };
}
