import type { WireStatus } from "./wire.ts";

/** `none` says that nothing was reported, which is no success. */
export type Checks = "success" | "pending" | "failure" | "none" | "unknown";

const words: Record<string, Checks> = {
  success: "success",
  skipped: "success",
  pending: "pending",
  // A warning is for a person to look at; it opens no door.
  warning: "failure",
  error: "failure",
  failure: "failure",
};

const worst: Checks[] = ["failure", "unknown", "pending", "none", "success"];

/**
 * The word on a commit, computed from its parts (`status`), and never better than the server's own (`state`). The server's
 * counts only the page it answered with: a list that was cut knows nothing of the rest.
 */
export function combinedChecks(
  status: WireStatus | null,
  head_sha: string,
  is_whole: boolean,
): Checks {
  const parts = status?.statuses ?? [];
  if (status === null || parts.length === 0) return is_whole ? "none" : "unknown";
  if (status.sha && status.sha !== head_sha) return "unknown";
  const said = parts.map(({ status }) => words[status] ?? "unknown");
  if (status.state) said.push(words[status.state] ?? "unknown");
  if (!is_whole || parts.length < (status.total_count ?? 0)) said.push("unknown");
  return worst.find((word) => said.includes(word)) ?? "unknown";
}
