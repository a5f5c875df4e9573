import { planTask } from "../../functions/_agents/planner.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import { type Answer, policy } from "../support/line.ts";
import { type Base, iso } from "./base.ts";
import type { Command } from "./commands.ts";
import type { Look } from "./comparing.ts";
import { channelOf, payloadOf } from "./effects.ts";
import { type Letter, letterOf, nothing } from "./letters.ts";
import { leaseFor } from "./model.ts";
import { plantingOf } from "./planting.ts";
import { resultFor } from "./results.ts";
import { type Attempt, tried } from "./trespass.ts";
import type { Outcome, Update, World } from "./world.ts";
import { effectNode, flows, people } from "./house.ts";

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Does to Postgres what a command says, through the calls that the house has for it. */
export class Player {
  readonly #works: StepWork[] = [];
  readonly #letters: Letter[] = [];
  #look: Look | null = null;
  attempts = 0;

  constructor(readonly base: Base, readonly taskId: string, readonly trespasses: Attempt[] = []) {}

  /** As the functions of the house call it, without the transport that has tests of its own. */
  async call<T = Answer>(name: string, args: Record<string, unknown> = {}): Promise<T> {
    const names = Object.keys(args).map((arg, i) => `${arg} => $${i + 1}`);
    const { rows } = await this.base.db.pg.query<{ answer: T }>(
      `select api.${name}(${names.join(", ")}) as answer`,
      Object.values(args),
    );
    return rows[0].answer;
  }

  async administer(call: string): Promise<Answer> {
    const { rows } = await this.base.db.pg.query<{ answer: Answer }>(
      "select model.call('administrator', $1) as answer",
      [`select api.${call}`],
    );
    return rows[0].answer;
  }

  async plant(sql: string): Promise<void> {
    await this.base.db.pg.query("select model.plant($1)", [sql]);
  }

  async look(now: number): Promise<Look> {
    const { rows } = await this.base.db.pg.query<{ look: Look }>(
      "select model.look($1) as look, model.tell($2)",
      [this.taskId, iso(now)],
    );
    return this.#look = rows[0].look;
  }

  /** What the house answers, one answer for each that the model expects. */
  async play(
    before: World,
    after: World,
    command: Command,
    expected: Outcome[],
  ): Promise<Outcome[]> {
    switch (command.do) {
      case "answer":
      case "say": {
        const update = after.updates.at(-1)!;
        this.#letters.push(letterOf({
          base: this.base,
          taskId: this.taskId,
          look: this.#look!,
          sha: this.#bundle(after, update.bundle),
          place: this.#letters.length,
        }, update));
        if (expected.length === 0) return [];
        return [await this.#deliver(update, this.#letters.at(-1)!)];
      }
      case "deliver": {
        const place = -1 - command.which;
        return [await this.#deliver(after.updates.at(place)!, this.#letters.at(place)!)];
      }
      case "rework":
      case "complete": {
        const answers: Outcome[] = [];
        for (const { of } of expected) {
          answers.push({
            ...of === "claim"
              ? await this.#claim(before, "line")
              : await this.#complete(after, of!, command),
            of,
          });
        }
        return answers;
      }
      case "claim":
        return [await this.#claim(before, command.what)];
      case "fail":
        return [outcome(
          await this.call("fail_step", {
            ...this.#lease(before, command.what, "newest"),
            p_code: command.code,
            p_error: "broken",
            p_retry_after: 5,
          }),
        )];
      case "replan":
        return [
          outcome(
            await this.administer(`replan_task('${this.taskId}', 'the source changed', 'rita')`),
          ),
        ];
      case "reserve":
        return [outcome(
          await this.call("reserve_effect", {
            ...this.#lease(before, "effect", command.lease),
            p_kind: before.task.kind === "signal" ? "publish" : "trade",
            p_channel: channelOf(before, command.inside),
            p_destination: "-100123",
            p_payload: payloadOf(before, command.payload),
            p_policy_sha256: this.#bundle(before, command.bundle),
          }),
        )];
      case "start":
      case "confirm": {
        const { p_step_id: _, ...lease } = this.#lease(before, "effect", command.lease);
        const fence = { p_effect_id: this.#look!.effects.at(-1)!.id, ...lease };
        return [outcome(
          command.do === "start"
            ? await this.call("start_effect", fence)
            : await this.call("confirm_effect", {
              ...fence,
              p_outcome: command.seen,
              p_receipt: { retry_after: 3 },
            }),
        )];
      }
      case "settle": {
        const said = command.done ? "confirmed" : "failed";
        return [
          outcome(
            await this.administer(
              `settle_effect('${this.#look!.effects.at(-1)!.id}', '${said}', 'seen', 'rita')`,
            ),
          ),
        ];
      }
      case "wait":
        return [];
      case "sweep":
      case "crash":
        await this.call("sweep");
        return [{}];
      case "remove":
        return [await this.#remove(command.who)];
      case "add":
        return [await this.#add(command)];
      case "demote":
        return [await this.#remove(command.who), await this.#add(command)];
      case "enrol":
        return [
          outcome(
            await this.administer(
              `enroll_second_factor('${people[command.who].telegram}', repeat('A', 64), 'test')`,
            ),
          ),
        ];
      case "stop":
        return [{
          status: (await this.administer(`stop('${command.scope}', 'drill', 'rita')`))
            .state as string,
        }];
      case "t3 off":
        return [
          outcome(
            await this.administer("set_flag('t3_execution_enabled', false, 'drill', 'rita')"),
          ),
        ];
      case "limit":
        // By the owner of the tables: the command loosens nothing while the account trades.
        await this.plant(
          `insert into public.limits (account_id, max_positions, updated_by) values ('paper-1', ${command.positions}, 'rita')
           on conflict (account_id) do update set max_positions = excluded.max_positions`,
        );
        return [{}];
      case "trespass": {
        this.attempts += command.picks.length;
        return [await tried(this.base, this.trespasses, command.picks)];
      }
      default:
        await this.plant(plantingOf(command, this.taskId, this.base.policySha));
        return [{}];
    }
  }

  readonly #bundle = (world: World, which: "active" | "other"): string =>
    which === "active" ? this.base.policySha.get(world.policy.label)! : nothing;

  #lease(world: World, what: "line" | "effect", age: "newest" | "older") {
    const { step_id, attempt, lease_token } =
      this.#works[world.leases.indexOf(leaseFor(world, what, age)!)];
    return { p_step_id: step_id, p_attempt: attempt, p_lease_token: lease_token };
  }

  async #claim(world: World, what: "line" | "effect"): Promise<Outcome> {
    const { nodes } = flows[world.task.kind];
    const classes = nodes.filter(([node]) =>
      (node === effectNode(world.task)) === (what === "effect")
    )
      .map(([, agent]) => agent);
    const claimed = await this.call<StepWork[]>("claim_steps", {
      p_worker: "model",
      p_limit: 50,
      p_agents: classes,
    });
    const place = ({ node_id }: StepWork) => nodes.findIndex(([node]) => node === node_id);
    this.#works.push(...claimed.sort((a, b) => place(a) - place(b)));
    return { status: claimed.map(({ node_id }) => node_id).sort().join() };
  }

  async #complete(
    after: World,
    node: string,
    { marks: verdict }: Command & { do: "rework" | "complete" },
  ): Promise<Outcome> {
    const work = this.#works.findLast(({ node_id }) => node_id === node)!;
    const { step_id, attempt, lease_token } = work;
    const lease = { p_step_id: step_id, p_attempt: attempt, p_lease_token: lease_token };
    if (node === "plan") {
      return outcome(
        await this.call("record_plan", {
          ...lease,
          p_plan: planTask(policy, work.task),
          p_policy_sha256: this.#bundle(after, "active"),
        }),
      );
    }
    if (node === "archive") {
      return outcome(await this.call("archive_task", { ...lease, p_chunks: [] }));
    }
    const result = resultFor(after, work, verdict);
    const [answer] = await this.call<Answer[]>("complete_steps", {
      p_results: [{ step_id, attempt, lease_token, result }],
      p_policy_sha256: this.#bundle(after, "active"),
    });
    return outcome(answer);
  }

  #remove = async (who: number) =>
    outcome(await this.administer(`remove_member('${people[who].telegram}', 'rita')`));
  #add = async ({ who, role }: { who: number; role: string }) => {
    const { name, telegram } = people[who];
    const member = JSON.stringify({ role, name, telegram_user_id: telegram });
    return outcome(await this.administer(`add_member(${quoted(member)}, 'rita')`));
  };

  async #deliver({ intent }: Update, letter: Letter): Promise<Outcome> {
    const answer = intent.type === "answer"
      ? await this.call("decide", { ...letter })
      : await this.call("handle_update", { p_update: letter.p_update });
    if (answer.outcome === "duplicate") return { status: "duplicate" };
    if (answer.refused !== undefined) return outcome(answer);
    const byStatus = intent.type === "answer" || intent.type === "resolve";
    return { status: String(byStatus ? answer.status : answer.reply) };
  }
}

function outcome({ refused, status }: Answer): Outcome {
  return refused !== undefined
    ? { refused }
    : status === undefined
    ? {}
    : { status: String(status) };
}
