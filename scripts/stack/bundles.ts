import { bundleReporter } from "../../functions/_policy/bundle-report.ts";
import type { Works } from "./wiring.ts";

/** The functions that a policy waits for: the same list as in `private.bundling_functions()`. */
export const carriers = ["communicator", "critic", "intake", "orchestrator", "telegram-webhook"];

/** In this process all functions carry one text, and each reports it for itself. */
export function reportBundles(
  { database, policy, worker, now }: Pick<Works, "database" | "policy" | "worker" | "now">,
  names: readonly string[] = carriers,
): () => Promise<void> {
  const reporters = names.map((name) =>
    bundleReporter({
      function: name,
      instance: worker,
      policy,
      report: (args) => database.call("report_bundle", args),
      now,
    })
  );
  return async () => {
    for (const report of reporters) await report();
  };
}
