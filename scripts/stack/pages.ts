import { readCommandCenterEnvironment } from "../../command-center/environment.ts";
import { startCommandCenter } from "../../command-center/main.ts";
import { ConfigurationRefused } from "../../command-center/sources/configuration/read.ts";
import { PortTaken } from "../../command-center/server/serve.ts";
import type { StackOptions } from "./stack.ts";
import { Sentence } from "./sentence.ts";
import type { Store } from "./store.ts";

/** The embedded database lives in this process, so its pages do. A port that is taken must not keep alerts from coming in. */
export async function servePages(
  { books }: Store,
  { environment, print, servesPages = true }: StackOptions,
  closing: (() => Promise<void> | void)[],
): Promise<string | null> {
  if (books === null || !servesPages) return null;
  const reading = readCommandCenterEnvironment(environment);
  if (!reading.ok) throw new Sentence(reading.problems.join("\n"));
  const { port, name, config } = reading.environment;
  try {
    const served = await startCommandCenter({
      books,
      listener: { hostname: "127.0.0.1", port, network: "loopback", name },
      config,
      variable: environment,
    });
    closing.push(() => served.close());
    return served.url;
  } catch (error) {
    if (error instanceof PortTaken) {
      print(`The operators' pages are not served: ${error.message}`);
      return null;
    }
    if (error instanceof ConfigurationRefused) throw new Sentence(error.message);
    throw error;
  }
}
