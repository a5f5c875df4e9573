import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryDrift } from "../../../../scripts/ags/runbooks/memory-drift.ts";
import { openTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { activate, addMember, signalAtGate, statusOf } from "../../../support/line.ts";
import { everyTable, options, plant, runbookScene, trail } from "./scene.ts";

let db: TestDatabase;
let taskId: string;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  taskId = await signalAtGate(db);
  const cited = JSON.stringify({
    symbol: "BTCUSDT",
    chunks: [{ chunk_id: "00000000-0000-4000-8000-000000000001", version: 1 }],
  });
  await plant(
    db,
    "update public.artifacts set content = $2 where task_id = $1 and type = 'retrieval'",
    [taskId, cited],
  );
  await db.owner("select private.fill_retrieval_cache()");
  await db.owner(
    "insert into public.working_memory (key, task_id, value, written_by, expires_at) values ('left-over', null, '{}', 'test', now() + interval '30 hours')",
  );
});
afterAll(() => db.close());

const cached = () => db.database.call<unknown>("cached_retrieval", { p_symbol: "BTCUSDT" });

describe("memory-drift", () => {
  it("in a rehearsal changes no row", async () => {
    const before = await everyTable(db);
    const { deps, said } = runbookScene(db);
    await memoryDrift(deps, options({ dryRun: true }));
    expect(await everyTable(db)).toEqual(before);
    expect(said.join("\n")).toContain("would: invalidate 1 cached retrievals");
    expect(said.join("\n")).toContain("unknown: no manifest is filled");
  });

  it("that is declined leaves the cache, the memory and the task as they were", async () => {
    await memoryDrift(runbookScene(db, () => false).deps, options());
    expect(await cached()).toMatchObject({ stale: true });
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
  });

  it("stops citing what is gone, purges what nobody owns, and has the task's work done anew", async () => {
    const { deps } = runbookScene(db);
    await memoryDrift(deps, options());
    expect(await cached()).toBeNull();
    expect(await db.owner("select key from public.working_memory")).toEqual([]);
    expect(await statusOf(db, taskId)).toBe("running");
    expect((await trail(db, deps.runId)).filter(({ outcome }) => outcome === "done")).toHaveLength(
      3,
    );
    const again = runbookScene(db);
    await memoryDrift(again.deps, options());
    expect(again.said.join("\n")).toContain("the cache holds nothing out of date");
  });

  it("compares the manifest by checksum where there is one", async () => {
    await db.owner(
      "insert into public.one_drive_assets (object_key, checksum) values ('dags/a', 'nobody')",
    );
    const { deps, said } = runbookScene(db);
    await memoryDrift(deps, options({ dryRun: true }));
    expect(said.join("\n")).toContain("1 entries are of no artifact here");
  });
});
