import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { show } from "./output.ts";

const all =
  "select consumer, kind, status, lag_rows, lag_seconds, handed, skipped, repeats, duplicate_rate, last_read_at, paused_by, pause_reason from public.consumer_lag order by consumer";

interface Options {
  json?: boolean;
  from?: string[];
  to?: string[];
  back?: string | number;
  reason?: string[];
}

interface Consumer {
  consumer: string;
  changed: boolean;
  position?: string;
  taken_back?: number;
}

const administer = async (name: string, args: Record<string, unknown>): Promise<Consumer> =>
  unlessRefused(await ask<Consumer>("administer", { name, args: { ...args, p_actor: actor() } }));

/** Who works on what is told and how far each is behind; a new reader, or one that is sent back. */
export async function consumers(
  what: string | undefined,
  consumer: string | undefined,
  options: Options,
): Promise<void> {
  const json = options.json === true;
  if (what === undefined || what === "list") return show(await askAsAuditor(all, 1000), json);
  if ((what !== "add" && what !== "rewind") || !consumer) {
    throw new Sentence(
      "Write: consumers, consumers add <name> [--from <where>], or consumers rewind <name> --to <position> | --back <events>",
    );
  }
  if (what === "add") {
    const p_from = options.from?.[0] ?? "now";
    const added = await administer("add_consumer", { p_consumer: consumer, p_from });
    return console.log(
      json ? JSON.stringify(added) : `${added.consumer} reads on from ${added.position}.`,
    );
  }
  const back = options.back === undefined ? null : Number(options.back);
  if (back !== null && !(Number.isInteger(back) && back > 0)) {
    throw new Sentence("--back is a number of events.");
  }
  const sent = await administer("rewind_consumer", {
    p_consumer: consumer,
    p_position: options.to?.[0] ?? null,
    p_back: back,
  });
  console.log(
    json
      ? JSON.stringify(sent)
      : `${sent.consumer} reads on from ${sent.position}: ${sent.taken_back} events come again.`,
  );
}

/** Nothing more is handed to it; what it holds it may finish. */
export async function pause(consumer: string, options: Options): Promise<void> {
  const p_reason = options.reason?.[0];
  if (!p_reason) throw new Sentence("Say why: pause <consumer> --reason <words>");
  const paused = await administer("pause_consumer", { p_consumer: consumer, p_reason });
  if (options.json) return console.log(JSON.stringify(paused));
  console.log(`${consumer} ${paused.changed ? "is paused" : "was paused already"}.`);
}

export async function resume(consumer: string, options: Options): Promise<void> {
  const p_reason = options.reason?.[0] ?? null;
  const resumed = await administer("resume_consumer", { p_consumer: consumer, p_reason });
  if (options.json) return console.log(JSON.stringify(resumed));
  console.log(`${consumer} ${resumed.changed ? "goes on" : "was not paused"}.`);
}
