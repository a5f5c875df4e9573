/** The parameter types of each `api` function, by function and parameter name. */
export type Signatures = Map<string, Map<string, string>>;

/** A function without parameters is a row as well: one that is missing here would be looked up before each of its calls. */
export const signaturesQuery = `
  select p.proname as name, a.name as parameter, format_type(a.type, null) as type
  from pg_catalog.pg_proc p
    left join unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[])) as a(name, type) on a.name is not null
  where p.pronamespace = 'api'::regnamespace`;

export interface SignatureRow {
  name: string;
  /** Null, as its type, where the function has none. */
  parameter: string | null;
  type: string | null;
}

export function signaturesFrom(rows: readonly SignatureRow[]): Signatures {
  const signatures: Signatures = new Map();
  for (const { name, parameter, type } of rows) {
    if (!signatures.has(name)) signatures.set(name, new Map());
    if (parameter !== null && type !== null) signatures.get(name)!.set(parameter, type);
  }
  return signatures;
}

const identifier = /^[a-z_][a-z0-9_]*$/;

/** A name becomes part of a statement, so it is looked at before anything else happens. */
export function refuseOddName(word: string): void {
  if (!identifier.test(word)) {
    throw new TypeError(`${JSON.stringify(word)} is no name of an api function or parameter`);
  }
}

export interface Statement {
  text: string;
  params: (string | null)[];
}

/**
 * `select api.fn(a => $1::text::jsonb, …)`. Every parameter travels as text and is cast to the type that the catalog
 * declares, so that a driver's own idea of arrays, numbers and JSON never matters and both drivers agree.
 * An undefined argument is left out, as JSON would: the function's default holds.
 */
export function callStatement(
  name: string,
  args: Record<string, unknown>,
  signatures: Signatures,
): Statement {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  for (const word of [name, ...given.map(([parameter]) => parameter)]) refuseOddName(word);
  const types = signatures.get(name);
  const casts = given.map(([parameter], i) =>
    `${parameter} => $${i + 1}::text::${types?.get(parameter) ?? "jsonb"}`
  );
  const params = given.map(([parameter, value]) => asText(value, types?.get(parameter) ?? "jsonb"));
  return { text: `select api.${name}(${casts.join(", ")}) as result`, params };
}

function asText(value: unknown, type: string): string | null {
  if (value === null) return null;
  if (type === "jsonb" || type === "json") return JSON.stringify(value);
  if (type.endsWith("[]") && Array.isArray(value)) return arrayLiteral(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function arrayLiteral(values: unknown[]): string {
  const items = values.map((value): string => {
    if (value === null || value === undefined) return "NULL";
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return `"${text.replace(/[\\"]/g, "\\$&")}"`;
  });
  return `{${items.join(",")}}`;
}
