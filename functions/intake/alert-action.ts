import type { PolicyResult } from "../_policy/parse-policy.ts";

/**
 * What a TradingView alert asks for by being sent. Without a valid policy alerts are still stored, under the action
 * they always had; nothing is planned until there is one again.
 */
export const alertAction = (policy: PolicyResult): string =>
  policy.ok ? policy.policy.sources.tradingview?.action ?? "PUBLISH" : "PUBLISH";
