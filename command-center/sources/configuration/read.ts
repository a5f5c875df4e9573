import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { type Configuration, configuration } from "./schema.ts";
import { secretsIn } from "./secrets.ts";

/** The file cannot be used, and starting without it would be a guess: whoever starts this must mend it. */
export class ConfigurationRefused extends Error {
  override readonly name = "ConfigurationRefused";
}

/** What is configured, with its paths taken from the folder of the file. Its text never stands in a message. */
export function configurationOf(text: string, folder: string): Configuration {
  const document = documentOf(text) ?? {};
  const secrets = secretsIn(document);
  if (secrets.length > 0) {
    throw new ConfigurationRefused(
      `What stands at ${
        secrets.join(", ")
      } looks like a secret. Name the environment variable that holds it.`,
    );
  }
  const result = configuration.safeParse(document);
  if (!result.success) {
    const sentences = result.error.issues.map(({ path, message }) =>
      `${path.map(String).join(".") || "the file"}: ${message}`
    );
    throw new ConfigurationRefused(sentences.join("\n"));
  }
  return rooted(result.data, folder);
}

export async function readConfiguration(path: string): Promise<Configuration> {
  return configurationOf(await readFile(path, "utf8"), dirname(resolve(path)));
}

function documentOf(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new ConfigurationRefused("The file is no YAML.");
  }
}

function rooted(found: Configuration, folder: string): Configuration {
  const at = (path: string | undefined) => path === undefined ? undefined : resolve(folder, path);
  return {
    ...found,
    hermes: found.hermes && { ...found.hermes, root: resolve(folder, found.hermes.root) },
    huey: found.huey.map((queue) => ({
      ...queue,
      sqlite: at(queue.sqlite),
      heartbeat: queue.heartbeat && "file" in queue.heartbeat
        ? { file: resolve(folder, queue.heartbeat.file) }
        : queue.heartbeat,
    })),
    agents: found.agents.map((agent) => ({
      ...agent,
      pid_file: at(agent.pid_file),
      heartbeat_file: at(agent.heartbeat_file),
    })),
  };
}
