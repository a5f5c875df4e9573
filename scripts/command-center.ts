import { parseArgs } from "node:util";
import { readCommandCenterEnvironment } from "../command-center/environment.ts";
import { startCommandCenter } from "../command-center/main.ts";
import { postgresBooks } from "../command-center/platform/postgres-books.ts";
import { addressFor } from "../command-center/server/address.ts";

const usage = `npm run command-center -- [--tailscale] [--address 127.0.0.1]

Serves the operators' pages, read-only, on 127.0.0.1 (COMMAND_CENTER_PORT, 54380) or on this machine's tailscale address.
The database is COMMAND_CENTER_DATABASE_URL, or DATABASE_URL. The embedded database belongs to npm start, which serves the
pages itself.`;

function refuse(sentence: string): never {
  console.error(sentence);
  Deno.exit(1);
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    tailscale: { type: "boolean", default: false },
    address: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  Deno.exit(0);
}
const reading = readCommandCenterEnvironment((name) => Deno.env.get(name));
if (!reading.ok) refuse(reading.problems.join("\n"));
const { port, name, databaseUrl, config } = reading.environment;
const bound = addressFor(
  { tailscale: values.tailscale, address: values.address ?? null, port },
  Deno.networkInterfaces(),
);
if (!bound.ok) refuse(bound.problem);
if (databaseUrl === null) {
  refuse(
    "Not starting: there is no COMMAND_CENTER_DATABASE_URL and no DATABASE_URL. The embedded database belongs to npm start, " +
      "which serves the pages itself.",
  );
}
const books = postgresBooks(databaseUrl);
try {
  const served = await startCommandCenter({
    books,
    listener: { ...bound, name },
    config,
    variable: (variable) => Deno.env.get(variable),
  });
  console.log(`The command center answers on ${served.url}, read-only.`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, async () => {
      await served.close();
      await books.close();
      Deno.exit(0);
    });
  }
} catch (error) {
  refuse(`Not starting: ${error instanceof Error ? error.message : error}`);
}
