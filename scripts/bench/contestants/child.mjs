import { pathToFileURL } from "node:url";
import { settle } from "../server/databases.mjs";

const contestant = await import(pathToFileURL(process.argv[2]).href);

process.on("message", async ({ figure, options }) => {
  try {
    process.send({
      result: await contestant[figure]({ ...options, settle: () => settle(options.url) }),
    });
  } catch (error) {
    process.send({ error: error instanceof Error ? error.stack ?? error.message : String(error) });
  }
});
// The bench is gone: so is this.
process.on("disconnect", () => process.exit(0));
