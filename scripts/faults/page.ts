import { loadInvariants, pendingInvariants } from "./invariants.ts";
import { rows } from "./registry.ts";
import { isPending } from "./row.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** The part of docs/faults.md that is made from the registry: from its mark to the end of the page. */
export const mark = "<!-- made from scripts/faults/registry.ts -->";

export async function pagePart(): Promise<string> {
  const running = rows.filter((row) => !isPending(row));
  const lines = rows.map((row) =>
    `| ${row.id} | ${cell(row.fault)} | ${cell(row.promise)} | ${
      isPending(row)
        ? `pending: ${cell(row.waits)}`
        : row.needs.length > 0
        ? `runs on ${row.needs.join(", ")}`
        : "runs"
    } |`
  );
  const invariants = (await loadInvariants()).map(({ id, promise }) => [id, promise]);
  const all = [
    ...invariants,
    ...Object.entries(pendingInvariants).map(([id, why]) => [id, `pending: ${why}`]),
  ]
    .sort(([one], [other]) => Number(one.slice(1)) - Number(other.slice(1)));
  return `${mark}

## The rows

${running.length} of ${rows.length} run; the others wait for the requirement that they name.

| # | Fault | Promise | State |
|---|---|---|---|
${lines.join("\n")}

## The invariants

| | Holds after every fault |
|---|---|
${all.map(([id, promise]) => `| ${id} | ${cell(promise)} |`).join("\n")}
`;
}
