import { Sentence } from "../stack/sentence.ts";
import { ask } from "./holder.ts";
import { cell } from "./output.ts";

interface Part {
  status: string;
  observed_at: string;
  [fact: string]: unknown;
}

/** The same that `dags-domain-health` answers to the service token. Unhealthy is an exit code as well. */
export async function health(options: { json?: boolean }): Promise<void> {
  const { status, observed_at, ...parts } = await ask<Part>("health");
  if (options.json) {
    console.log(JSON.stringify({ status, observed_at, ...parts }));
  } else {
    console.log(`${"status".padEnd(10)} ${status}  (observed at ${observed_at})`);
    for (const [name, part] of Object.entries(parts)) {
      const { status: standing, observed_at: _, ...facts } = part as Part;
      console.log(`${name.padEnd(10)} ${standing.padEnd(10)} ${cell(facts)}`);
    }
  }
  if (status === "unhealthy") throw new Sentence("The platform is unhealthy.");
}
