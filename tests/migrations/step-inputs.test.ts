import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseReference } from "../../functions/_domain/reference.ts";
import { canonicalize } from "../support/canonical.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  activate,
  addMember,
  type Answer,
  archivedSignal,
  marks,
  signalAtGate,
} from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

const read = (ref: string) => db.database.call<Answer>("read_artifact", { p_ref: ref });
const refOf = (taskId: string, node: string) => `supa://tasks/${taskId}/${node}/inputs.json`;

it("inputs of no task, of no step, of a step that is not ready, or under another path are not found", async () => {
  const taskId = await signalAtGate(db);
  for (
    const ref of [
      refOf("T-2025-01-01-9999", "act"),
      refOf(taskId, "nothing"),
      refOf(taskId, "publish"),
      `supa://tasks/${taskId}/act/outputs.json`,
      `supa://artifacts/${taskId}/act/inputs.json`,
    ]
  ) expect(await read(ref), ref).toEqual({ refused: "not_found" });
});

it("inputs cannot be evaluated", async () => {
  const taskId = await signalAtGate(db);
  const { artifact_id } = await read(refOf(taskId, "critic"));
  expect(artifact_id).toBeNull();
  expect(
    await db.database.call("record_evaluation", {
      p_evaluation: { critic: "critic:other", artifact_id, rubric: marks },
      p_task_id: taskId,
    }),
  ).toMatchObject({ refused: "evaluation_missing" });
});

it("every inputs_ref that an event names resolves, the planner's first", async () => {
  const taskId = await archivedSignal(db);
  const refs = await db.owner<{ ref: string }>(
    "select payload_json ->> 'inputs_ref' as ref from public.events where task_id = $1 and type = 'STEP_DONE' order by seq",
    [taskId],
  );
  expect(refs.length).toBeGreaterThan(6);
  expect(refs[0]).toEqual({ ref: refOf(taskId, "plan") });
  for (const { ref } of refs) {
    expect(parseReference(ref)).not.toBeNull();
    const inputs = await read(ref);
    expect(inputs).toMatchObject({
      task_id: taskId,
      type: "inputs",
      agent: "orchestrator",
      storage_ref: ref,
      task: { task_id: taskId },
    });
    expect(inputs.checksum).toBe(
      createHash("sha256").update(inputs.content as string).digest("hex"),
    );
  }
});

it("inputs are the request and what the awaited steps produced, as canonical JSON", async () => {
  const taskId = await signalAtGate(db);
  const { content } = await read(refOf(taskId, "critic"));
  const { payload, inputs } = JSON.parse(content as string);
  expect(content).toBe(canonicalize({ payload, inputs }));
  expect(payload).toMatchObject({ alert: { symbol: "BTCUSDT" } });
  const produced = await db.owner(
    `select s.node_id, a.storage_ref, a.checksum from public.artifacts a join public.task_steps s using (step_id)
      where s.task_id = $1 and s.node_id = 'act' order by a.checksum collate "C"`,
    [taskId],
  );
  expect(produced).toHaveLength(2);
  expect(inputs).toEqual(produced);
  const plan = JSON.parse((await read(refOf(taskId, "plan"))).content as string);
  expect(plan).toEqual({ payload, inputs: [] });
});
