import process from "node:process";
import { readConfiguration } from "../../../command-center/sources/configuration/read.ts";
import { outsideSources } from "../../../command-center/sources/outside.ts";

// Every outside source of a configuration, read once under the permissions that this process was given.
const sources = outsideSources(await readConfiguration(process.argv[2]), {
  fetch: globalThis.fetch,
  variable: (name) => Deno.env.get(name),
});
const readers = Object.values(sources).flat();
const told = await Promise.all(readers.map(async (reader) => {
  const { source, status, reason } = await reader.read(new Date(), AbortSignal.timeout(5000));
  return { source, status, reason };
}));
console.log(JSON.stringify(told));
process.exit(0);
