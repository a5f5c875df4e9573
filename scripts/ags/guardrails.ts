import { root } from "../stack/files.ts";
import { measure, samples } from "./guardrail-measure.ts";
import { showObjects } from "./output.ts";

/** The injection filter on its corpus, by family, channel and half. It measures; the tests hold it to a number. */
export async function guardrails(options: { json?: boolean }): Promise<void> {
  const read = async (name: string) =>
    samples(await Deno.readTextFile(`${root}tests/corpus/${name}.jsonl`));
  const rates = measure(await read("attacks"), await read("benign"));
  showObjects(
    rates,
    ["measure", "by", "name", "flagged", "of", "pct"],
    options.json === true,
  );
  if (options.json !== true) {
    console.log(
      "The filter is a tripwire. What holds when it misses is the structure: docs/security.md.",
    );
  }
}
