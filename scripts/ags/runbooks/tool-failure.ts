import { mask } from "../../../functions/_domain/mask.ts";
import { Run, type RunbookDeps, type RunbookOptions } from "./run.ts";

interface Failing {
  tool: string;
  state: string;
  failures: number;
  waiting: number;
  usual_timeout_ms: number | null;
  timeout_ms: number | null;
  pairs: { request: string; response: string | null }[];
}

interface Timeout {
  before_ms: number;
  after_ms: number;
  expires_at: string;
}

const hoursOfPatience = 24;
const secondsBetweenCanaries = 5;

/** A tool outside fails: leave it alone, tell people, ask it once, and trust it again only when it answers well. */
export async function toolFailure(deps: RunbookDeps, options: RunbookOptions): Promise<void> {
  const run = new Run("tool-failure", 6, deps, options);
  const look = () => run.read<Failing[]>("tool_failures", { p_tool: options.tool });

  run.begin("Look at what fails");
  const failing = await look();
  for (const { tool, state, failures, waiting, pairs } of failing) {
    run.say(`${tool}: ${state}, ${failures} failures in a row, ${waiting} steps wait`);
    for (const { request, response } of pairs) {
      run.say(`  ${mask(request)}: ${mask(response ?? "nothing was said")}`);
    }
  }
  if (failing.length === 0) {
    run.say(options.tool === null ? "no tool is in trouble" : `${options.tool} has no breaker`);
    return;
  }

  run.begin("Trip the breaker");
  for (const { tool, state } of failing) {
    if (state !== "closed") run.say(`${tool} is ${state} already`);
    else {await run.change(`leave ${tool} alone`, "trip_breaker", {
        p_tool: tool,
        p_reason: run.reason,
      });}
  }

  run.begin("See that work goes to the fallback");
  for (const { tool, state, waiting } of await look()) {
    run.say(
      state === "closed"
        ? `${tool} is still called: its breaker is closed`
        : `${tool} is ${state}; ${waiting} steps wait in the fallback queue`,
    );
  }

  run.begin("Tell owners and operators, with masked pairs");
  for (const { tool, pairs, waiting } of failing) {
    const p_pairs = pairs.slice(0, 5).map(({ request, response }) => ({
      request: mask(request).slice(0, 200),
      response: mask(response ?? "").slice(0, 300),
    }));
    await run.change(`tell of ${tool} and ${p_pairs.length} pairs`, "announce_tool_failure", {
      p_tool: tool,
      p_pairs,
      p_waiting: waiting,
    });
  }

  run.begin("Send a canary, and trust the tool again only if it comes back");
  for (
    const { tool } of await look().then((all) => all.filter(({ state }) => state !== "closed"))
  ) {
    if (options.dryRun) {
      run.say(`would: ask ${tool} once, and reset its breaker if the answer is good`);
      continue;
    }
    const answer = await canaryWithin(run, tool);
    if (!answer) run.say(`${tool} stays as it is: its breaker asks by itself every two minutes`);
    else {await run.change(`trust ${tool} again`, "reset_breaker", {
        p_tool: tool,
        p_reason: run.reason,
      });}
  }

  run.begin("Tighten the timeout");
  for (const { tool, usual_timeout_ms, timeout_ms } of failing) {
    if (usual_timeout_ms === null) {
      run.say(`${tool}: an effect is never cut short, so its timeout stays`);
      continue;
    }
    const tighter = Math.round(usual_timeout_ms / 2);
    if (timeout_ms !== null && timeout_ms <= tighter) {
      run.say(`${tool} is waited for ${timeout_ms} ms already`);
      continue;
    }
    const set = await run.change<Timeout>(
      `wait ${tighter} ms for ${tool} instead of ${
        timeout_ms ?? usual_timeout_ms
      } ms, for ${hoursOfPatience} hours`,
      "tighten_timeout",
      { p_tool: tool, p_timeout_ms: tighter, p_hours: hoursOfPatience, p_reason: run.reason },
    );
    if (set !== null) {
      run.say(`${tool}: ${set.before_ms} ms before, ${set.after_ms} ms until ${set.expires_at}`);
    }
  }
}

/** Asks again until it answers well, for as long as the figures would be watched. */
async function canaryWithin(run: Run, tool: string): Promise<boolean> {
  const tries = 1 + Math.floor(run.options.watchSeconds / secondsBetweenCanaries);
  for (let i = 1; i <= tries; i++) {
    const { asked, good, said } = await run.deps.canary(tool);
    run.say(`${tool}: ${mask(said)}`);
    await run.record(good || !asked ? "done" : "failed", `canary of ${tool}`, {
      asked,
      good,
      said: mask(said),
    });
    if (!asked) return false;
    if (good) return true;
    if (i < tries && !run.deps.interrupted.aborted) await run.deps.wait(secondsBetweenCanaries);
    if (run.deps.interrupted.aborted) return false;
  }
  return false;
}
