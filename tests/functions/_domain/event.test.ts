import { describe, expect, it } from "vitest";
import {
  eventTypes,
  firstEventTypes,
  laterEventTypes,
  readEvent,
} from "../../../functions/_domain/event.ts";

const finished = {
  schema_version: "1.0",
  event_id: "5d1f6a0e-8c43-4b7a-9f21-3e6c0a9b7d54",
  event_type: "STEP_DONE",
  task_id: "T-2026-03-02-0007",
  agent: "researcher:v3",
  ts: "2026-03-02T08:15:09Z",
  payload: {
    inputs_ref: "supa://tasks/T-2026-03-02-0007/research/inputs.json",
    outputs_ref: "supa://artifacts/0b6f1c52/research.json",
    quality_score: 0.91,
  },
  idempotency_key: "T-2026-03-02-0007:research:9c2e41d07ab85f36",
};
const incident = {
  ...finished,
  event_type: "INCIDENT_RAISED",
  task_id: null,
  agent: "orchestrator",
  payload: { reason: "the outcome was not seen" },
};
const reading = (change: object, of: object = finished) => readEvent({ ...of, ...change });
const refusal = (name: string) => ({
  ok: false,
  code: "invalid_event",
  reason: expect.stringContaining(name),
});

describe("an event is refused", () => {
  it.each(Object.keys(finished))("without its %s", (field) => {
    const { [field as keyof typeof finished]: _, ...rest } = finished;
    expect(readEvent(rest)).toEqual(refusal(field));
  });

  it.each([
    ["schema_version", ["2.0", "2.9", "0.9", "10.0", "1", "1.", "1.00", "1.0 ", "v1.0", 1, null]],
    ["event_id", ["uuid", "", 7, null]],
    ["event_type", ["step_done", "STEP_DONE ", "PUBLISH", "", null]],
    ["task_id", ["", "T-1", "t-2026-03-02-0007", "T-2026-03-02-7", "T-2026-03-02-0007\n", 7]],
    ["agent", ["", null]],
    ["ts", ["2026-03-02", "2026-03-02T08:15:09", "2026-03-02T10:15:09+02:00", "now", 1772439309]],
    ["payload", [null, [], "{}", 1]],
    ["idempotency_key", ["", null]],
  ])("for its %s", (field, values) => {
    for (const value of values) {
      expect([value, reading({ [field]: value })]).toEqual([value, refusal(field)]);
    }
  });

  it.each([null, undefined, "STEP_DONE", 1, [], [finished]])("when it is %j", (value) => {
    expect(readEvent(value)).toMatchObject({ ok: false, code: "invalid_event" });
  });

  it("without a task, unless it is an incident", () => {
    for (const event_type of eventTypes.filter((type) => type !== "INCIDENT_RAISED")) {
      expect(reading({ schema_version: "1.1", event_type, task_id: null })).toEqual(
        refusal(event_type),
      );
    }
    expect(readEvent(incident).ok).toBe(true);
  });

  it("for a type that its version did not have yet", () => {
    for (const event_type of laterEventTypes) {
      expect(reading({ event_type })).toEqual(refusal(event_type));
      expect(reading({ event_type, schema_version: "1.1" }).ok).toBe(true);
    }
  });

  it.each([
    { inputs_ref: "" },
    { inputs_ref: null },
    { outputs_ref: 7 },
    { quality_score: -0.01 },
    { quality_score: 1.01 },
    { quality_score: NaN },
    { quality_score: "0.9" },
    { quality_score: null },
  ])("for a finished step's payload of %j", (payload) => {
    expect(reading({ payload })).toEqual(refusal(`payload.${Object.keys(payload)[0]}`));
  });
});

describe("an event", () => {
  it("is read as it was written", () => {
    expect(readEvent(finished)).toEqual({ ok: true, event: finished });
  });

  it("of a later minor version is read without what is new in it", () => {
    for (const schema_version of ["1.1", "1.9", "1.10"]) {
      expect(reading({ schema_version, region: "eu", trace: { id: 1 } })).toEqual({
        ok: true,
        event: { ...finished, schema_version },
      });
    }
  });

  it("keeps what its payload has beside the known fields", () => {
    const payload = { node_id: "research" };
    expect(reading({ payload })).toEqual({ ok: true, event: { ...finished, payload } });
    expect(reading({ payload: {} }).ok).toBe(true);
    for (const quality_score of [0, 1]) {
      expect(reading({ payload: { quality_score } }).ok).toBe(true);
    }
  });

  it("has one of six types in 1.0", () => {
    expect(firstEventTypes).toHaveLength(6);
    for (const event_type of firstEventTypes) expect(reading({ event_type }).ok).toBe(true);
  });
});
