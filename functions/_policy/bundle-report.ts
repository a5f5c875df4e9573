import { isRefusalCode, type RefusalCode } from "../_domain/refusal.ts";
import { policyDigest } from "./policy-digest.ts";

/** What the database answers to a report: `problem` is null where this bundle may plan, decide and reserve. */
interface Reported {
  problem?: string | null;
  refused?: string;
}

/** The bundled policy: its text's sha256, and what the text was read as. */
type Bundled = { ok: true; sha256: string; policy: unknown } | { ok: false };

export interface BundleReport {
  /** The function's name, as the policy waits for it. */
  function: string;
  /** This process, by any name of its own. */
  instance: string;
  policy: Bundled;
  report: (args: Record<string, unknown>) => Promise<Reported>;
  now: () => Date;
}

const every = 60_000;
const soonest = 5_000;

/**
 * Says which policy this process carries, as text and as what it read in it: at once, and after that once a minute, however often it is asked. The answer
 * is kept until then; `policy_not_approved` is the one that nothing but a decision or another bundle mends. A database
 * that does not answer is no verdict on the bundle: every command looks again.
 */
export function bundleReporter(bundle: BundleReport): () => Promise<RefusalCode | null> {
  let due = -Infinity;
  let known: Promise<RefusalCode | null> = Promise.resolve(null);
  const { policy } = bundle;
  const body = policy.ok ? policyDigest(policy.policy) : null;
  const ask = async (): Promise<RefusalCode | null> => {
    const { problem, refused } = await bundle.report({
      p_function: bundle.function,
      p_instance: bundle.instance,
      p_policy_sha256: policy.ok ? policy.sha256 : null,
      p_body_sha256: await body,
    });
    const code = problem ?? refused ?? null;
    return isRefusalCode(code) ? code : null;
  };
  return () => {
    const now = bundle.now().getTime();
    if (now >= due) {
      due = now + every;
      // Whoever may not work, or was not heard, asks sooner: being in force must not be learnt a minute late.
      const soon = (code: RefusalCode | null) => {
        due = Math.min(due, now + soonest);
        return code;
      };
      known = ask().then((code) => code === null ? null : soon(code), () => soon(null));
    }
    return known;
  };
}

interface Caller {
  call<T>(name: string, args?: Record<string, unknown>): Promise<T>;
}

/**
 * A deployed function's reporter, its first report under way: a door opens though the database does not answer yet. Ask it with
 * every request; it reports once a minute.
 */
export function carry(
  name: string,
  database: Caller,
  policy: Bundled,
): () => Promise<RefusalCode | null> {
  const report = bundleReporter({
    function: name,
    instance: crypto.randomUUID(),
    policy,
    report: (args) => database.call("report_bundle", args),
    now: () => new Date(),
  });
  void report();
  return report;
}
