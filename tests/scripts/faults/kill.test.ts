import { expect, it } from "vitest";
import { judge, problemsOf } from "../../../scripts/faults/kill-judge.mjs";
import { points, runKills } from "../../../scripts/faults/kill.mjs";
import { nativeUrl, onNativePostgres } from "../../support/native.ts";

const sound = {
  lost: [],
  duplicated: [],
  unsent: [],
  strangers: [],
  repeated: [],
  rerun_ms: { p50: 30_100, p99: 32_000, max: 32_000 },
};
const kill = { point: "mid_effect", seen: true };

it.each([
  ["nobody was killed", [], sound],
  ["1 kills were not seen: mid_effect", [{ ...kill, seen: false }], sound],
  ["2 tasks were lost: a running, b", [kill], { ...sound, lost: ["a running", "b"] }],
  ["1 effects happened more than once: a", [kill], { ...sound, duplicated: ["a"] }],
  ["1 effects are confirmed and did not happen: a", [kill], { ...sound, unsent: ["a"] }],
  ["1 effects belong to no task: x", [kill], { ...sound, strangers: ["x"] }],
  ["1 calls were repeated: x", [kill], { ...sound, repeated: ["x"] }],
  ["began 36000 ms after the kill", [kill], { ...sound, rerun_ms: { p99: 36_000 } }],
])("the judge of the kills says: %s", (sentence, kills, found) => {
  expect(problemsOf(kills, found).join("; ")).toContain(sentence);
  expect(problemsOf([kill], sound)).toEqual([]);
});

it("the judge finds what was planted: a task lost, an effect twice, one that nobody saw", async () => {
  const rows = [
    { task_id: "a", status: "archived", action: "PUBLISH", effect: "confirmed", sent: 1 },
    { task_id: "b", status: "archived", action: "PUBLISH", effect: "confirmed", sent: 1 },
    { task_id: "c", status: "running", action: "READ", effect: null, sent: 0 },
    { task_id: "d", status: "paused", action: "PUBLISH", effect: "unknown", sent: 1 },
    { task_id: "e", status: "paused", action: "PUBLISH", effect: "unknown", sent: 2 },
  ];
  const field = {
    tasks: new Set(rows.map(({ task_id }) => task_id)),
    action: "PUBLISH",
    nameOf: ({ task_id }: { task_id: string }) => task_id,
    happened: () => new Map([["a", 2], ["d", 1], ["stranger", 1]]),
    repeated: () => ["d"],
    scratch: {
      owner: (text: string) =>
        Promise.resolve(
          text.includes("t.action")
            ? rows
            : text.includes("'unknown'")
            ? [{ task_id: "d", worker: "killed" }, { task_id: "e", worker: "alive" }]
            : [],
        ),
    },
  };
  const kills = [{ worker: "killed", earlier: [], killed_at: 0 }];
  expect(await judge(field, kills)).toMatchObject({
    archived: 2,
    unknown: 2,
    lost: ["c running"],
    duplicated: ["a", "e"],
    unexplained: ["e"],
    unsent: ["a", "b"],
    strangers: ["stranger"],
    repeated: ["d"],
  });
});

onNativePostgres("workers that are killed", () => {
  it.each(["telegram", "bridge"])(
    "at each point in front of the %s lose nothing, and no effect happens twice",
    async (receiver) => {
      const { kills, found, problems } = await runKills({
        url: nativeUrl,
        receiver,
        points,
        n: points.length,
        seed: 11,
      });
      expect(kills.map(({ point }) => point).sort()).toEqual([...points].sort());
      expect(kills.every(({ seen, signal }) => seen && signal === "SIGKILL")).toBe(true);
      // A slow machine may begin the repeats later; that is what the command is for.
      expect(problems.filter((sentence) => !String(sentence).includes("ms after the kill")))
        .toEqual([]);
      // Both kills around the call leave an outcome that nobody saw, and so does what else they had in hand.
      expect(found.unknown).toBeGreaterThanOrEqual(2);
      expect(found.reruns).toBeGreaterThan(0);
    },
    240_000,
  );
});
