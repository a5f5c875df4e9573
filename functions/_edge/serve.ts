import { watched } from "./door.ts";
import { type Environment, readEnvironment, type Variable } from "./environment.ts";

/**
 * Boots a deployed function: variables, wiring, then the door. Whatever is wrong with the variables is said at once
 * and nothing is served, since half a configuration fails at the worst moment.
 */
export async function serve(
  name: string,
  needed: readonly Variable[],
  wire: (environment: Environment) => Promise<(request: Request) => Promise<Response>>,
): Promise<void> {
  const reading = readEnvironment((variable) => Deno.env.get(variable), needed);
  if (!reading.ok) throw new Error(`${name} does not start. ${reading.problems.join(". ")}.`);
  for (const warning of reading.warnings) console.warn(warning);
  const handler = await wire(reading.environment);
  Deno.serve(watched(name, { log: console.log, now: () => new Date() }, handler));
}
