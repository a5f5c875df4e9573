import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { page, root } from "./pages.ts";

/** The requirements that this stage answers for: `PLT-01..11 14` is PLT-01 to PLT-11 and PLT-14. */
const asked = [
  "PLT-01..16",
  "DAT-01..09 14..16 18",
  "GOV-01..24",
  "DAG-01..22",
  "EVT-01..11",
  "APR-01..06 14..22",
  "CRT-01..12",
  "ODA-02..04 07 08",
  "OBS-01..03 05 06 11 12",
  "KPI-01..09 11 12",
  "SEC-01..07 10..12",
  "FLW-01..03 05..07",
  "REL-01..11",
  "RUN-01 02 04 08 10 13",
  "MEM-01 16",
  "CC-01..33 35 36 38..40",
  "AUD-06 07 14",
].flatMap((line) => {
  const [family] = line.split("-");
  const numbers = line.slice(family.length + 1);
  return numbers.split(" ").flatMap((part) => {
    const [from, to = from] = part.split("..").map(Number);
    return Array.from(
      { length: to - from + 1 },
      (_, i) => `${family}-${String(from + i).padStart(2, "0")}`,
    );
  });
});

interface Row {
  id: string;
  files: string[];
}
const rowsOf = (text: string): Row[] =>
  [...text.matchAll(/^\| ([A-Z]{2,3}-\d{2}) \| [^|]+ \| ([^|]*) \|$/gm)].map(([, id, files]) => ({
    id,
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file]) => file),
  }));

/** What the page lacks: requirements, files, or a row that names none. */
function gaps(rows: Row[]): string[] {
  const known = rows.map(({ id }) => id);
  return [
    ...asked.filter((id) => !known.includes(id)),
    ...known.filter((id, i) => known.indexOf(id) !== i),
    ...rows.filter(({ files }) => files.length === 0).map(({ id }) => `${id} names no file`),
    ...rows.flatMap(({ files }) => files).filter((file) => !existsSync(new URL(file, root))),
  ];
}

describe("docs/traceability.md", () => {
  const rows = rowsOf(page("docs/traceability.md"));

  it("would notice a requirement that is missing, a row that shows nothing, and a file that is gone", () => {
    const [first, ...rest] = rows;
    expect(gaps(rest)).toEqual([first.id]);
    expect(gaps([{ ...first, files: [] }, ...rest])).toEqual([`${first.id} names no file`]);
    expect(gaps([{ ...first, files: ["tests/gone.test.ts"] }, ...rest])).toEqual([
      "tests/gone.test.ts",
    ]);
  });

  it("names an existing file for each requirement", () => {
    expect(asked).toHaveLength(212);
    expect(gaps(rows)).toEqual([]);
  });
});
