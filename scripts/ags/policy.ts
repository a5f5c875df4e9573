import { parsePolicy } from "../../functions/_policy/parse-policy.ts";
import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { records, showObjects } from "./output.ts";
import { check } from "./policy-check.ts";
import { policyFrom, shipped } from "./policy-file.ts";
import { propose } from "./policy-propose.ts";
import { replay } from "./policy-replay.ts";

export interface PolicyOptions {
  json?: boolean;
  roster?: string;
  head?: string;
  since?: string | number;
  failOn?: string;
  as?: string[];
}

export async function policy(
  what: string,
  file: string | undefined,
  options: PolicyOptions,
): Promise<void> {
  const json = options.json === true;
  switch (what) {
    case "show":
      return await show(json);
    case "status":
      return await status(json);
    case "check":
      return await check(file ?? shipped, options);
    case "replay":
      return await replay({ ...options, head: options.head ?? file });
    case "propose":
      return await propose(file, options);
    case "activate":
      return await activate(file ?? shipped, json);
  }
  throw new Sentence(
    `policy does not know "${what}": show, status, check, replay, propose or activate.`,
  );
}

/** The text that is in force, byte for byte, so that it can be compared with a file. */
async function show(json: boolean): Promise<void> {
  const [active] = records(
    await askAsAuditor("select * from public.policies where status = 'active'", 1),
  );
  if (!active) throw new Sentence("No policy is active: npm run ags -- policy activate");
  if (json) console.log(JSON.stringify(active));
  else {
    console.error(
      `# ${active.policy_sha256}, active since ${active.activated_at}, by ${active.activated_by}`,
    );
    await Deno.stdout.write(new TextEncoder().encode(String(active.policy_text)));
  }
  const trouble = await contradiction(String(active.policy_text), active.body);
  if (trouble !== null) throw new Sentence(trouble);
}

/** People read the text, the database obeys the parsed body: both must say the same. */
export async function contradiction(text: string, body: unknown): Promise<string | null> {
  const read = await parsePolicy(text);
  // A text of another release cannot be parsed by this one's rules, and so it cannot be compared.
  if (!read.ok || JSON.stringify(sorted(read.policy)) === JSON.stringify(sorted(body))) return null;
  return "The database obeys another policy than this text: the parsed body differs from it.";
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map((
      [key, one],
    ) => [key, sorted(one)]),
  );
}

/** What is in force, what will be, and which functions still carry another text. */
async function status(json: boolean): Promise<void> {
  const rows = records(
    await askAsAuditor(
      `select p.status, p.version, p.policy_sha256, p.task_id,
         (select string_agg(b.function_name, ' ' order by b.function_name) from public.policy_bundles b
          where b.policy_sha256 = p.policy_sha256 and b.reported_at > now() - interval '5 minutes'
            and (p.status <> 'pending' or b.reported_at >= p.pending_at)) as carried_by
       from public.policies p where p.status in ('active', 'pending', 'proposed')
       union all
       select 'not approved', null, b.policy_sha256, null, string_agg(b.function_name, ' ' order by b.function_name)
       from public.policy_bundles b
       where b.reported_at > now() - interval '5 minutes' and not exists (select 1 from public.policies p
         where p.policy_sha256 = b.policy_sha256 and p.status in ('active', 'pending', 'proposed'))
       group by b.policy_sha256 order by 1`,
      100,
    ),
  );
  showObjects(rows, ["status", "version", "policy_sha256", "task_id", "carried_by"], json);
}

async function activate(file: string, json: boolean): Promise<void> {
  const read = await policyFrom(file);
  const result = unlessRefused(
    await ask<{ policy_sha256: string; changed: boolean; first?: boolean }>("administer", {
      name: "activate_policy",
      args: { p_text: read.text, p_body: read.policy, p_actor: actor() },
    }),
  );
  if (json) return console.log(JSON.stringify(result));
  console.log(
    !result.changed
      ? `${result.policy_sha256} was active already.`
      : result.first
      ? `Active: ${result.policy_sha256}, the first policy. From here on a task changes it: policy propose.`
      : `Active: ${result.policy_sha256}. Processes built with another policy plan and decide nothing: npm run generate, then restart them.`,
  );
}
