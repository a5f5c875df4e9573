import process from "node:process";
import { postgresDatabase } from "../../functions/_database/postgres-database.ts";
import { tick } from "../../functions/orchestrator/handler.ts";
import { orchestratorOf } from "./traffic.ts";

/** A worker in a process of its own whose retriever takes its time and says so: there is time to pause the process in it. */
const [url, name, held] = process.argv.slice(2);
const database = postgresDatabase(url, { max: 2 });
const plain = orchestratorOf(database, name);
const retriever: typeof plain.agents.exec = async (work, context) => {
  console.log(JSON.stringify({ holds: work.step_id, attempt: work.attempt }));
  await new Promise((resolve) => setTimeout(resolve, Number(held)));
  return await plain.agents.exec(work, context);
};
await tick({ ...plain, agents: { ...plain.agents, retriever }, budget_ms: 20_000 });
console.log(JSON.stringify({ ended: true }));
await database.close();
