/**
 * What a server must have switched on before a figure of it means anything: it survives a power cut with everything
 * that it acknowledged.
 */
const required = {
  fsync: ["on"],
  synchronous_commit: ["on", "remote_apply"],
  full_page_writes: ["on"],
};

/** The settings that would make a figure worthless, as a sentence; null where all hold. */
export function durabilityProblem(settings) {
  const wrong = Object.entries(required).filter(([name, values]) =>
    !values.includes(settings[name])
  );
  return wrong.length === 0
    ? null
    : `no figure without durability: ${
      wrong.map(([name]) => `${name} is ${settings[name] ?? "unknown"}`).join(", ")
    }`;
}

export async function durabilityOf(sql) {
  const rows = await sql`select name, setting from pg_catalog.pg_settings
    where name in ${sql(Object.keys(required))}`;
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}
