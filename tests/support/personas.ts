import { loadBundledPolicy } from "../../functions/_policy/bundled-policy.ts";
import type { TestDatabase } from "./database.ts";
import type { Answer } from "./line.ts";

/** People of the tests. Telegram ids beyond 32 bits are real; the stranger is no member. */
export const personas = {
  olivia: { name: "olivia", role: "owner", telegram_user_id: "7000000001" },
  otto: { name: "otto", role: "owner", telegram_user_id: "7000000002" },
  petra: { name: "petra", role: "operator", telegram_user_id: "7000000003" },
  paul: { name: "paul", role: "operator", telegram_user_id: "7000000004" },
  rita: { name: "rita", role: "reviewer", telegram_user_id: "7000000005" },
} as const;
export type Persona = keyof typeof personas;
export const stranger = { telegram_user_id: "7999999999" } as const;

/** Runs an administrator's command, as `stop($1, 'smoke', 'cli:jane')`, which a running function may not. */
export async function administer<T = Answer>(
  db: TestDatabase,
  command: string,
  params: unknown[] = [],
): Promise<T> {
  const [row] = await db.as<{ result: T }>(
    "administrator",
    `select api.${command} as result`,
    params,
  );
  return row.result;
}

export async function addMembers(db: TestDatabase, ...who: Persona[]): Promise<void> {
  for (const name of who) {
    const added = await administer<{ refused?: string }>(db, "add_member($1, $2)", [
      JSON.stringify(personas[name]),
      "test",
    ]);
    if (added.refused) throw new Error(`${name} was not added: ${added.refused}`);
  }
}

/** Makes the shipped policy the active one, or one changed from it, and returns its hash. */
export async function activatePolicy(
  db: TestDatabase,
  change: (body: Record<string, unknown>) => void = () => {},
): Promise<string> {
  const bundled = await loadBundledPolicy();
  if (!bundled.ok) throw new Error(bundled.reason);
  const body = structuredClone(bundled.policy) as unknown as Record<string, unknown>;
  change(body);
  const changed = JSON.stringify(body) !== JSON.stringify(bundled.policy);
  const active = await administer<{ refused?: string; policy_sha256: string }>(
    db,
    "activate_policy($1, $2, $3)",
    [changed ? JSON.stringify(body) : bundled.text, JSON.stringify(body), "test"],
  );
  if (active.refused) throw new Error(`the policy was not activated: ${active.refused}`);
  return active.policy_sha256;
}

/** What a signed-in person's request carries, for `as("authenticated", …, claims)`. */
export async function signIn(db: TestDatabase, name: Persona): Promise<Record<string, unknown>> {
  const [row] = await db.owner<{ sub: string }>(
    "update public.members set auth_user_id = coalesce(auth_user_id, gen_random_uuid()) " +
      "where name = $1 and status = 'active' returning auth_user_id as sub",
    [name],
  );
  return { sub: row.sub, role: "authenticated" };
}
