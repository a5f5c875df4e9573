import { describe, expect, it } from "vitest";
import type { Database } from "../../../functions/_database/database.ts";
import {
  failpointFrom,
  killer,
  type Point,
  withFailpoint,
} from "../../../scripts/worker/failpoint.ts";
import { treeOf } from "../../support/tree.ts";

class Died extends Error {}

const read = (env: Record<string, string>) => failpointFrom((name) => env[name]);

describe("a failpoint", () => {
  it("is refused at the start unless somebody says that it is meant", () => {
    for (const FAILPOINTS of ["", "off", "1", "ON"]) {
      expect(() => read({ FAILPOINT: "after_claim", FAILPOINTS })).toThrow("FAILPOINT is set");
    }
    expect(read({})).toBeNull();
    expect(read({ FAILPOINTS: "on" })).toBeNull();
  });

  it("is one that there is, at a time that is one", () => {
    for (const FAILPOINT of ["somewhere", "after_claim:0", "after_claim:x", "after_claim:1:2"]) {
      expect(() => read({ FAILPOINT, FAILPOINTS: "on" })).toThrow("FAILPOINT must be one of");
    }
    expect(read({ FAILPOINT: "after_claim:3", FAILPOINTS: "on" })).toEqual({
      point: "after_claim",
      at: 3,
    });
  });

  it("exists in no function: a bundle of the platform cannot carry it", () => {
    const offenders = [...treeOf("functions")].filter(([, text]) => /failpoint/i.test(text));
    expect(offenders.map(([path]) => path)).toEqual([]);
  });
});

describe("where a worker dies", () => {
  const answers: Record<string, unknown> = {
    claim_steps: [{ step_id: "s" }],
    complete_steps: [],
    reserve_effect: { status: "reserved" },
    start_effect: { status: "sent" },
    confirm_effect: { status: "confirmed" },
    complete_and_claim_steps: { answers: [], claimed: [{ step_id: "t" }] },
  };
  const inTurn = ["claim_steps", "complete_steps", "reserve_effect", "start_effect"];

  /** Which calls reached the database before the death at this point. */
  async function lastWords(point: Point, at = 1, names = inTurn): Promise<string[]> {
    const made: string[] = [];
    const inner: Database = {
      call<T>(name: string): Promise<T> {
        made.push(name);
        return Promise.resolve(answers[name] as T);
      },
      close: () => Promise.resolve(),
    };
    const die = () => {
      throw new Died();
    };
    const database = withFailpoint(inner, killer({ point, at }, die));
    const life = async () => {
      for (const name of names) await database.call(name);
      await database.call("confirm_effect", { p_outcome: "confirmed" });
    };
    await expect(life()).rejects.toThrow(Died);
    return made;
  }

  it.each<[Point, string[]]>([
    ["before_claim", []],
    ["after_claim", ["claim_steps"]],
    ["before_complete", ["claim_steps"]],
    ["after_commit_before_answer", ["claim_steps", "complete_steps"]],
    ["after_reserve", ["claim_steps", "complete_steps", "reserve_effect"]],
    ["mid_effect", ["claim_steps", "complete_steps", "reserve_effect", "start_effect"]],
    ["after_effect_before_commit", [
      "claim_steps",
      "complete_steps",
      "reserve_effect",
      "start_effect",
    ]],
  ])("%s: after %j", async (point, made) => {
    expect(await lastWords(point)).toEqual(made);
  });

  it.each<[Point, string[]]>([
    ["before_claim", []],
    ["before_complete", []],
    ["after_claim", ["complete_and_claim_steps"]],
    ["after_commit_before_answer", ["complete_and_claim_steps"]],
  ])("%s lies around the call that completes and claims too", async (point, made) => {
    expect(await lastWords(point, 1, ["complete_and_claim_steps"])).toEqual(made);
  });

  it("is the n-th time that the point is reached", async () => {
    expect(await lastWords("after_commit_before_answer", 2)).toHaveLength(5);
  });
});
