import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobFact } from "../../../command-center/facts/job.ts";
import { jobState } from "../../../command-center/projection/job-state.ts";
import type { Reading } from "../../../command-center/truth/reading.ts";
import { configured, look } from "../support/configured.ts";
import { HermesFiles, hermesJob, hermesTime } from "../support/hermes-files.ts";

let files: HermesFiles;
beforeEach(async () => {
  files = await HermesFiles.make();
  await files.beat(new Date());
});
afterEach(() => files.remove());

const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

const read = (more: object = {}, now = new Date()): Promise<Reading<readonly JobFact[]>> =>
  configured({ hermes: { root: files.root, ...more } }).jobs[0].read(now, look());

const verdicts = async (...jobs: object[]) => {
  await files.jobs(jobs);
  const now = new Date();
  const { value } = await read({}, now);
  return value?.map((fact) => jobState(fact, now)) ?? [];
};

describe("what its files say", () => {
  it("is unknown where there is no registry", async () => {
    const { status, reason } = await read();
    expect({ status, reason }).toEqual({ status: "unknown", reason: "there is no jobs.json" });
  });

  it.each([
    ['{"jobs": [{"id": "a"', "jobs.json is no whole JSON"],
    ["[]", "jobs.json has another shape than expected"],
    ['{"jobs": {}}', "jobs.json has another shape than expected at jobs"],
    ["", "jobs.json is no whole JSON"],
  ])("is unknown where the registry holds %j", async (text, reason) => {
    await files.write("jobs.json", text);
    const reading = await read();
    expect({ status: reading.status, reason: reading.reason }).toEqual({
      status: "unknown",
      reason,
    });
  });

  it("tolerates keys of other versions, and says how many jobs it cannot read", async () => {
    await files.jobs([
      hermesJob("a", { tomorrow: { deep: [1] }, failure_streak: undefined }),
      { name: "without an id" },
      "no job at all",
    ]);
    const { status, reason, value } = await read();
    expect({ status, reason }).toEqual({
      status: "degraded",
      reason: "2 of its jobs cannot be read",
    });
    expect(value?.map(({ id }) => id)).toEqual(["default/a"]);
  });

  it("keeps the profiles apart, each with its own runner", async () => {
    await files.jobs([hermesJob("a")]);
    await files.jobs([hermesJob("b")], "operations");
    const { jobs } = configured({
      hermes: { root: files.root, profiles: ["default", "operations"] },
    });
    const [first, second] = await Promise.all(
      jobs.slice(0, 2).map((reader) => reader.read(new Date(), look())),
    );
    expect([first.source, first.status]).toEqual(["hermes:default", "live"]);
    expect([second.source, second.status, second.reason]).toEqual([
      "hermes:operations",
      "stale",
      expect.stringMatching(/last heard of/),
    ]);
    expect(second.value?.[0].runner, "its own runner left no heartbeat").toBe("absent");
  });

  it("has the heartbeat's time as its own, and is stale after three turns", async () => {
    await files.jobs([hermesJob("a")]);
    await files.beat(ago(170));
    expect((await read()).status).toBe("live");
    await files.beat(ago(190));
    const { status, observed_at } = await read();
    expect(status).toBe("stale");
    expect(Date.now() - Date.parse(observed_at ?? "")).toBeGreaterThan(189_000);
  });

  it.each(["", "soon", "17952", "1e10", "NaN"])(
    "takes the heartbeat %j for none, and is never live by the registry alone",
    async (text) => {
      await files.jobs([hermesJob("a")]);
      await files.write("ticker_heartbeat", text);
      const { status, reason } = await read({}, new Date("2026-11-21T10:31:00Z"));
      expect({ status, reason }).toEqual({
        status: "degraded",
        reason: "no runner has left a heartbeat that can be read",
      });
    },
  );

  it("is degraded when the runner turns and every turn fails", async () => {
    await files.jobs([hermesJob("a")]);
    await files.beat(new Date(), ago(3600));
    const { status, reason } = await read();
    expect({ status, reason }).toEqual({
      status: "degraded",
      reason: "its runner has ended no turn without an error for 60 min",
    });
  });

  it("shows no secret out of an error", async () => {
    const last_error = `401 for Authorization: Bearer ${"ab1".repeat(12)}`;
    await files.jobs([hermesJob("a", { last_status: "error", last_error })]);
    expect((await read()).value?.[0].failure).not.toContain("ab1ab1");
  });
});

describe("its jobs", () => {
  it("are enabled when they run as meant", async () => {
    const [verdict] = await verdicts(hermesJob("a"));
    expect(verdict).toEqual({ state: "enabled", actual: "running", drift: [], reason: null });
  });

  it("drift when nothing runs them", async () => {
    await files.beat(ago(600));
    const [{ state, actual, drift }] = await verdicts(hermesJob("a"));
    expect({ state, actual, drift }).toEqual({
      state: "drifting",
      actual: "no runner",
      drift: ["configured, but nothing runs it"],
    });
  });

  it("are paused with a reason, and drift without one", async () => {
    const paused = { enabled: false, state: "paused", paused_at: hermesTime(-90_000) };
    const [noticed, unnoticed] = await verdicts(
      hermesJob("a", { ...paused, paused_reason: "the feed is down" }),
      hermesJob("b", paused),
    );
    expect(noticed).toMatchObject({ state: "paused", drift: [], reason: "the feed is down" });
    expect(unnoticed).toMatchObject({
      state: "drifting",
      drift: ["paused, and nobody noticed"],
    });
  });

  it("are overdue after one and a half of their intervals", async () => {
    const [inTime, late] = await verdicts(
      hermesJob("a", { last_run_at: hermesTime(-44 * 60) }),
      hermesJob("b", { last_run_at: hermesTime(-46 * 60) }),
    );
    expect(inTime.drift).toEqual([]);
    expect(late).toMatchObject({ state: "stale", drift: ["overdue"] });
  });

  it("are not overdue over a weekend that their cron line leaves out", async () => {
    const weekdays = {
      schedule: { kind: "cron", expr: "0 9 * * 1-5", display: "0 9 * * 1-5" },
      last_run_at: hermesTime(-60 * 3600),
      next_run_at: hermesTime(3600),
    };
    expect((await verdicts(hermesJob("a", weekdays)))[0].state).toBe("enabled");
  });

  it("fail, and drift when they fail again and again", async () => {
    const failed = { last_status: "error", last_error: "RuntimeError: provider 429" };
    const [once, often] = await verdicts(
      hermesJob("a", { ...failed, failure_streak: 1 }),
      hermesJob("b", { ...failed, failure_streak: 4 }),
    );
    expect(once).toMatchObject({ state: "failing", reason: "RuntimeError: provider 429" });
    expect(often).toMatchObject({ state: "drifting", drift: ["running without successes"] });
  });

  it("leave the list when they have had their last run", async () => {
    expect(await verdicts(hermesJob("a", { state: "completed", enabled: false }))).toEqual([]);
  });
});
