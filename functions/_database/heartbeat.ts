import type { Database } from "./database.ts";
import { isTrouble } from "./trouble.ts";

interface Step {
  step_id: string;
  task_id: string;
  agent_class: string;
}

/** How the agents of one process are, said to the database every ten seconds. */
export interface Heartbeat {
  began(step: Step): void;
  /** `code` is the refusal that ended the step, null where it ended well. */
  ended(step: Step, code: string | null): void;
  /** Of work that is no step, such as a notification. */
  noted(agentClass: string, code: string | null): void;
  /** Beats now, unless it just did, and then by the clock until the returned function is called. */
  keep(): Promise<() => void>;
}

export interface HeartbeatOptions {
  database: Database;
  worker: string;
  /** What each agent class of this process needs from outside; null: nobody. */
  dependencies: Readonly<Record<string, string | null>>;
  now: () => Date;
  everySeconds?: number;
}

/** What an agent cannot do for lack of the world around it. Any other refusal is about the work, and says that the agent works. */
const failures = new Set([
  "internal",
  "unavailable",
  "rate_limited",
  "breaker_open",
  "no_channel",
  "quote_stale",
  "policy_invalid",
  "policy_not_active",
  "policy_not_approved",
]);

interface Pulse {
  dependency: string | null;
  running: Map<string, Step>;
  failure: string | null;
  succeeded: boolean;
}

const statusOf = ({ running, failure }: Pulse): string => {
  if (failure !== null) return failure === "rate_limited" ? "rate_limited" : "degraded";
  return running.size > 0 ? "busy" : "idle";
};

export function heartbeat(options: HeartbeatOptions): Heartbeat {
  const { database, worker, dependencies, now, everySeconds = 10 } = options;
  const pulses = new Map<string, Pulse>(
    Object.entries(dependencies).map(([name, dependency]) => [
      name,
      { dependency, running: new Map(), failure: null, succeeded: false },
    ]),
  );
  let due = Number.NEGATIVE_INFINITY;

  async function beat(): Promise<void> {
    if (now().getTime() < due) return;
    due = now().getTime() + everySeconds * 1000 - 500;
    const p_beats = [...pulses].map(([agent_class, pulse]) => {
      const current = [...pulse.running.values()][0];
      return {
        agent_class,
        status: statusOf(pulse),
        current_task_id: current?.task_id ?? null,
        current_step_id: current?.step_id ?? null,
        dependency: pulse.dependency,
        failure_mode: pulse.failure,
        succeeded: pulse.succeeded,
        interval_seconds: everySeconds,
      };
    });
    for (const pulse of pulses.values()) pulse.succeeded = false;
    try {
      await database.call("beat", { p_worker: worker, p_beats });
    } catch (error) {
      // A row that grows old says what there is to say; the work must not end for it.
      if (!isTrouble(error)) throw error;
    }
  }

  function note(pulse: Pulse, code: string | null): void {
    pulse.failure = code !== null && failures.has(code) ? code : null;
    pulse.succeeded ||= pulse.failure === null;
  }

  return {
    began(step) {
      pulses.get(step.agent_class)?.running.set(step.step_id, step);
    },
    ended(step, code) {
      const pulse = pulses.get(step.agent_class);
      if (pulse === undefined || !pulse.running.delete(step.step_id)) return;
      if (code !== "stale_lease") note(pulse, code);
    },
    noted(agentClass, code) {
      const pulse = pulses.get(agentClass);
      if (pulse !== undefined) note(pulse, code);
    },
    async keep() {
      await beat();
      const timer = setInterval(() => void beat(), everySeconds * 1000);
      return () => clearInterval(timer);
    },
  };
}
