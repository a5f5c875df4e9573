/** What a runbook asks of the world; the command line and the tests each bring their own. */
export interface RunbookDeps {
  administer<T>(name: string, args: Record<string, unknown>): Promise<T>;
  say(line: string): void;
  /** A person's yes or no before a change. */
  confirm(question: string): Promise<boolean>;
  wait(seconds: number): Promise<void>;
  /** One call of the tool past its breaker, changing nothing; `asked: false` where none is known. */
  canary(tool: string): Promise<Canary>;
  /** Set when the person at the machine wants out. */
  interrupted: AbortSignal;
  actor: string;
  runId: string;
}

export interface Canary {
  asked: boolean;
  good: boolean;
  said: string;
}

export interface RunbookOptions {
  dryRun: boolean;
  task: string | null;
  tool: string | null;
  watchSeconds: number;
}

export type Name = "desync" | "tool-failure" | "memory-drift";

export class Interrupted extends Error {
  constructor() {
    super("The runbook was interrupted.");
    this.name = "Interrupted";
  }
}

const words = (error: unknown): string => error instanceof Error ? error.message : String(error);

/** The database said no: the change did not happen, and the code says why. */
export class RefusedChange extends Error {
  constructor(answer: { refused: string; reason?: string }) {
    super(answer.reason ? `${answer.refused}: ${answer.reason}` : answer.refused);
    this.name = "RefusedChange";
  }
}

/** The steps of one runbook: each has a number, is said before it is done, and every change is asked for and put on record. */
export class Run {
  #step = 0;

  constructor(
    readonly name: Name,
    readonly steps: number,
    readonly deps: RunbookDeps,
    readonly options: RunbookOptions,
  ) {}

  /** For the rows that a change leaves behind: who began this run, and which it was. */
  get reason(): string {
    return `runbook ${this.name} ${this.deps.runId}`;
  }

  begin(title: string): void {
    this.#leaveIfAsked();
    this.#step += 1;
    this.deps.say(`${this.#step}/${this.steps} ${title}`);
  }

  say(line: string): void {
    this.deps.say(`    ${line}`);
  }

  read<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
    return this.deps.administer<T>(name, args);
  }

  /** One call that changes nothing without a yes. Null where it was declined, refused or only rehearsed. */
  async change<T extends object>(
    what: string,
    name: string,
    args: Record<string, unknown>,
  ): Promise<T | null> {
    if (this.options.dryRun) {
      this.say(`would: ${what}`);
      return null;
    }
    this.#leaveIfAsked();
    await this.record("asked", what);
    const agreed = await this.deps.confirm(`    ${what}?`);
    this.#leaveIfAsked();
    if (!agreed) {
      await this.record("declined", what);
      this.say(`declined: ${what}`);
      return null;
    }
    return await this.do<T>(what, name, args);
  }

  /** The change itself, for what was agreed to before. */
  async do<T extends object>(
    what: string,
    name: string,
    args: Record<string, unknown>,
  ): Promise<T | null> {
    try {
      const answer = await this.deps.administer<T & { refused?: string; reason?: string }>(name, {
        ...args,
        p_actor: this.deps.actor,
      });
      if (answer.refused !== undefined) {
        throw new RefusedChange({ refused: answer.refused, reason: answer.reason });
      }
      await this.record("done", what, answer);
      this.say(`done: ${what}`);
      return answer;
    } catch (error) {
      await this.record("failed", what, { error: words(error).slice(0, 500) });
      this.say(`failed: ${what} (${words(error)})`);
      if (error instanceof RefusedChange) return null;
      throw error;
    }
  }

  async record(outcome: string, title: string, detail: object = {}): Promise<void> {
    if (this.options.dryRun) return;
    await this.deps.administer("record_runbook_step", {
      p_run: this.deps.runId,
      p_runbook: this.name,
      p_step: this.#step,
      p_steps: this.steps,
      p_title: title,
      p_outcome: outcome,
      p_detail: JSON.stringify(detail).length > 8000 ? { shortened: true } : detail,
      p_actor: this.deps.actor,
    });
  }

  #leaveIfAsked(): void {
    if (this.deps.interrupted.aborted) throw new Interrupted();
  }
}
