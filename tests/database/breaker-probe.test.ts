import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import type { TestDatabase } from "../support/database.ts";
import { activate, type Answer } from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";
import { administer } from "../support/personas.ts";

const prober = fileURLToPath(new URL("../support/prober.mjs", import.meta.url));
const run = promisify(execFile);
const tool = "broker.order";

onNativePostgres("a breaker that many processes ask at once", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  let clock: FrozenClock;
  beforeAll(async () => {
    native = await openNativeDatabase();
    db = native as unknown as TestDatabase;
    await activate(db);
    clock = await freezeClock(db, "2027-05-01T10:00:00Z");
  });
  afterAll(() => native?.close());
  beforeEach(async () => {
    await clock.advance(3600);
    await administer(db, "trip_breaker($1, 'looks odd', 'test')", [tool]);
    await clock.advance(120);
  });

  const report = (p_outcome: string, p_probe: unknown = null) =>
    native.database.call<Answer>("report_call", { p_tool: tool, p_probe, p_outcome });

  /** Eight processes that ask at the same moment, fifty times each. */
  async function storm(): Promise<Answer[]> {
    const startAt = String(Date.now() + 2500);
    const outputs = await Promise.all(
      Array.from(
        { length: 8 },
        () => run(process.execPath, [prober, native.gatewayUrl, tool, "50", startAt]),
      ),
    );
    return outputs.flatMap(({ stdout }) => JSON.parse(stdout));
  }
  const probes = (answers: Answer[]) => answers.filter(({ probe }) => probe);

  it(
    "gives one probe to 400 calls from eight processes, and again one when its holder has died",
    async () => {
      const first = await storm();
      expect(first).toHaveLength(400);
      expect(probes(first)).toHaveLength(1);
      expect(first.filter(({ refused }) => refused === "breaker_open")).toHaveLength(399);
      await clock.advance(59);
      expect(probes(await storm())).toHaveLength(0);
      await clock.advance(1);
      const again = await storm();
      expect(probes(again)).toHaveLength(1);
      expect(await report("success", probes(first)[0].probe)).toMatchObject({
        refused: "stale_lease",
      });
      expect(await report("success", probes(again)[0].probe)).toMatchObject({ state: "closed" });
      expect((await storm()).filter(({ admitted }) => admitted)).toHaveLength(400);
    },
    120_000,
  );

  it("opens once by failures that arrive together, whoever counts them", async () => {
    await administer(db, "reset_breaker($1, 'mended', 'test')", [tool]);
    const pools = Array.from({ length: 8 }, () => native.connect(4));
    await Promise.all(
      Array.from(
        { length: 40 },
        (_, i) =>
          pools[i % 8].call("report_call", { p_tool: tool, p_probe: null, p_outcome: "failure" }),
      ),
    );
    const [row] = await db.owner(
      "select state, consecutive_failures from public.circuit_breakers where tool = $1",
      [tool],
    );
    expect(row).toEqual({ state: "open", consecutive_failures: 5 });
  });
});
