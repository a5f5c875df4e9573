import { beforeEach, describe, expect, it } from "vitest";
import { addMember, approvedSignal, refusalsOf, reserve, secondFactor } from "../support/line.ts";
import { clock, db } from "./people.ts";
import {
  confirm,
  deciders,
  decline,
  everybody,
  newsOf,
  resume,
  runAgain,
  stateOf,
  stop,
  told,
} from "./stopping.ts";

beforeEach(async () => {
  await runAgain();
  await stop();
});

const remove = (name: string) =>
  db.as("administrator", "select api.remove_member($1, 'test')", [name]);

describe("resuming", () => {
  it("is not asked for by a reviewer, and not where nothing is stopped", async () => {
    expect(await resume("1003")).toMatchObject({ refused: "wrong_role" });
    expect(await resume("1002", "t3")).toMatchObject({ reply: "not_stopped" });
    expect(await stateOf("all")).toBe("stopped");
  });

  it("takes a second person, who is not the asker with another account", async () => {
    const { code } = await resume("1024");
    expect(await confirm("1024", code)).toMatchObject({ refused: "dual_control_violation" });
    expect(await confirm("1004", code)).toMatchObject({ refused: "dual_control_violation" });
    expect(await confirm("1014", code)).toMatchObject({ refused: "dual_control_violation" });
    expect(await stateOf("all")).toBe("stopped");
    expect(await confirm("1001", code)).toMatchObject({ reply: "resumed", scope: "all" });
    expect(await stateOf("all")).toBe("running");
  });

  it("takes an owner: two operators are not enough", async () => {
    const { code } = await resume("1001");
    expect(await confirm("1005", code)).toMatchObject({ refused: "wrong_role" });
    expect(await confirm("1003", code)).toMatchObject({ refused: "wrong_role" });
    expect(await confirm("1002", code)).toMatchObject({ reply: "resumed" });
  });

  it("does not count an asker who has been removed since, even when they are back", async () => {
    await addMember(db, "owner", "zoe", "7001");
    const { code } = await resume("7001");
    await remove("zoe");
    expect(await confirm("1002", code)).toMatchObject({ refused: "wrong_role" });
    await addMember(db, "operator", "zoe", "7001");
    expect(await confirm("1002", code)).toMatchObject({ refused: "wrong_role" });
    expect(await stateOf("all")).toBe("stopped");
    await remove("zoe");
  });

  it("does not count an asker whose role is another by now", async () => {
    const { code } = await resume("1002");
    await db.owner("update public.members set role = 'operator' where telegram_user_id = '1002'");
    expect(await confirm("1001", code)).toMatchObject({ refused: "wrong_role" });
    expect(await confirm("1024", code)).toMatchObject({ refused: "wrong_role" });
    await db.owner("update public.members set role = 'owner' where telegram_user_id = '1002'");
    expect(await stateOf("all")).toBe("stopped");
  });

  it("takes the confirmer's second factor, and a wrong one leaves the question open", async () => {
    const { code } = await resume("1002");
    expect(await confirm("1001", code, { second_factor: null }))
      .toMatchObject({ refused: "second_factor_required" });
    await secondFactor(db, "1001");
    expect(await confirm("1001", code, { second_factor: { valid: false, step: 1 } }))
      .toMatchObject({ refused: "second_factor_wrong" });
    expect(await stateOf("all")).toBe("stopped");
    expect(await confirm("1001", code)).toMatchObject({ reply: "resumed" });
  });

  it("counts a code once", async () => {
    const { code } = await resume("1002");
    await confirm("1001", code);
    await stop();
    expect(await confirm("1001", code)).toMatchObject({ refused: "unknown_confirmation" });
    expect(await stateOf("all")).toBe("stopped");
  });

  it("knows no code that was made up, and no part of one", async () => {
    const { code } = await resume("1002");
    const asked = code as string;
    for (
      const guess of ["C-AAAAAAAA", asked.slice(0, -1), `${asked}A`, asked.toLowerCase(), null]
    ) {
      expect(await confirm("1001", guess)).toMatchObject({ refused: "unknown_confirmation" });
    }
  });

  it("is over after fifteen minutes, to the millisecond", async () => {
    const early = await resume("1002");
    await clock.advance(899.999);
    expect(await confirm("1001", early.code)).toMatchObject({ reply: "resumed" });
    await stop();
    const late = await resume("1002");
    await clock.advance(900);
    expect(await confirm("1001", late.code)).toMatchObject({ refused: "confirmation_expired" });
    await db.database.call("sweep");
    expect(await confirm("1001", late.code)).toMatchObject({ refused: "confirmation_expired" });
    expect(
      await db.owner("select outcome from public.confirmations where code = $1", [late.code]),
    ).toEqual([{ outcome: "expired" }]);
  });

  it("is overtaken by any stop that comes after the question, a repeated one too", async () => {
    const asked = await resume("1002");
    const news = await newsOf("stopped", () => stop("1005"));
    expect(news).toEqual(everybody);
    expect(await confirm("1001", asked.code)).toMatchObject({ refused: "unknown_confirmation" });
    const again = await resume("1002");
    await stop("1001", "t3");
    expect(await confirm("1001", again.code)).toMatchObject({ refused: "unknown_confirmation" });
    expect([await stateOf("all"), await stateOf("t3")]).toEqual(["stopped", "stopped"]);
  });

  it("is for the scope it was asked for and no other", async () => {
    await stop("1001", "t3");
    const { code } = await resume("1002", "t3");
    expect(await confirm("1001", code)).toMatchObject({
      reply: "resumed",
      scope: "t3",
      still_stopped: ["all"],
    });
    expect([await stateOf("all"), await stateOf("t3")]).toEqual(["stopped", "running"]);
  });

  it("asked twice leaves one question", async () => {
    const first = await resume("1001");
    const second = await resume("1002");
    expect(await confirm("1002", first.code)).toMatchObject({ refused: "unknown_confirmation" });
    expect(await confirm("1001", second.code)).toMatchObject({ reply: "resumed" });
  });

  it("ends with one no, which needs no second factor", async () => {
    const { code } = await resume("1002");
    expect(await decline("1003", code)).toMatchObject({ refused: "wrong_role" });
    expect(await newsOf("resume_declined", () => decline("1001", code))).toEqual(deciders);
    expect(await confirm("1001", code)).toMatchObject({ refused: "unknown_confirmation" });
    expect(await stateOf("all")).toBe("stopped");
  });

  it("lets what was approved go on, and tells everybody", async () => {
    const { work } = await approvedSignal(db);
    expect(await reserve(db, work)).toMatchObject({ refused: "stopped" });
    const asked = await newsOf("resume_asked", async () => {
      const { code } = await resume("1001");
      expect(await newsOf("resumed", () => confirm("1002", code))).toEqual(everybody);
    });
    expect(asked).toEqual(deciders);
    expect((await told("resume_asked")).at(-1)?.payload.code).toMatch(/^C-[A-Z2-7]{8}$/);
    expect(await reserve(db, work)).toMatchObject({ status: "reserved" });
  });

  it("works where the row was gone", async () => {
    await db.owner("delete from public.emergency_stops where scope = 'all'");
    const { code } = await resume("1002");
    await confirm("1001", code);
    expect(await stateOf("all")).toBe("running");
  });

  it("has no other way: no command changes a stop to running, no row of a question is written over", async () => {
    const writers = await db.owner<{ name: string }>(
      `select p.pronamespace::regnamespace::text || '.' || p.proname as name from pg_proc p
       where p.pronamespace in ('api'::regnamespace, 'private'::regnamespace)
         and p.prosrc ~* '(insert into|update|delete from)\\s+public\\.emergency_stops' order by 1`,
    );
    expect(writers.map(({ name }) => name)).toEqual(["private.on_confirm", "private.set_stop"]);
    const { code } = await resume("1002");
    await decline("1002", code);
    const rewritten = { code: "AGHIS" };
    for (
      const sql of [
        "update public.confirmations set outcome = null, closed_at = null, closed_by = null where code = $1",
        "update public.confirmations set outcome = 'confirmed' where code = $1",
        "update public.confirmations set expires_at = expires_at + interval '1 minute' where code = $1",
        "delete from public.confirmations where code = $1",
      ]
    ) await expect(db.owner(sql, [code]), sql).rejects.toMatchObject(rewritten);
  });
});

it("no two codes are alike, and none can be told from the one before", async () => {
  const rows = await db.owner<{ code: string }>(
    "select private.confirmation_code() as code from generate_series(1, 2000)",
  );
  expect(new Set(rows.map(({ code }) => code)).size).toBe(2000);
  for (let place = 2; place < 10; place++) {
    expect(new Set(rows.map(({ code }) => code[place])).size).toBe(32);
  }
  expect(await refusalsOf(db, "stop:all")).toContain("wrong_role");
});
