// The ceiling where pgbench is not installed: the same statements from this process, on as many connections. It costs
// more of the processor than pgbench, so the ceiling is lower and is named for what it is.
import { readFile } from "node:fs/promises";
import { connect } from "../server/databases.mjs";

export async function ceiling({ url, script, clients, batch, seconds }) {
  const text = await readFile(new URL(script, import.meta.url), "utf8");
  const sql = connect(url, { max: clients });
  const prepared = text.split(/;|\\gset/).map((one) => one.trim()).filter(Boolean);
  let rounds = 0;
  const until = performance.now() + seconds * 1000;
  const client = async () => {
    while (performance.now() < until) {
      let ids = "{}";
      for (const statement of prepared) {
        const params = [];
        const filled = statement.replace(/:(k|ids)\b/, (_, name) => {
          params.push(name === "k" ? String(batch) : ids);
          return name === "k" ? "$1::text::integer" : "$1::text::bigint[]";
        });
        const rows = await sql.unsafe(filled, params, { prepare: true });
        if (rows[0]?.ids) ids = `{${[rows[0].ids].flat().join(",").replace(/[{}]/g, "")}}`;
      }
      rounds++;
    }
  };
  try {
    const started = performance.now();
    await Promise.all(Array.from({ length: clients }, client));
    return { per_s: rounds * batch / ((performance.now() - started) / 1000) };
  } finally {
    await sql.end();
  }
}
