import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
let clock: FrozenClock;
let subjects = 0;

beforeAll(async () => {
  db = await openTestDatabase();
  await line.activate(db);
  await line.addMember(db, "owner", "oskar", "1002");
  await line.addMember(db, "reviewer", "rita", "1003");
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
});
afterAll(() => db.close());

const raise = (subject: string, severity = "critical") =>
  db.owner("select private.raise_alert('probe', $2, $1, '6', '5', null)", [subject, severity]);
const rung = async (subject: string) =>
  (await db.owner<{ recipient: string }>(
    "select recipient from public.notifications where payload_json ->> 'topic' = 'alert' and payload_json ->> 'subject' = $1",
    [subject],
  )).map(({ recipient }) => recipient);
const rows = (subject: string) =>
  db.owner<Record<string, unknown> & { alert_id: string }>(
    "select alert_id, seen, closed_at is null as open, acknowledged_by, closed_by, close_reason from public.alerts where subject = $1 order by opened_at",
    [subject],
  );
async function opened(severity = "critical"): Promise<{ subject: string; id: string }> {
  const subject = `subject ${++subjects}`;
  await raise(subject, severity);
  return { subject, id: (await rows(subject))[0].alert_id };
}
const nobody = "00000000-0000-4000-8000-000000000000";

describe("an alert", () => {
  it("of mere information rings nowhere", async () => {
    const { subject } = await opened("info");
    await clock.advance(7200);
    await raise(subject, "info");
    expect(await rung(subject)).toEqual([]);
  });

  it.each(["critical", "warning"])("that is %s rings once while it goes on", async (severity) => {
    const { subject } = await opened(severity);
    for (let minute = 0; minute < 90; minute += 30) {
      await clock.advance(1800);
      await raise(subject, severity);
    }
    expect(await rung(subject)).toEqual(["1002"]);
    expect(await rows(subject)).toMatchObject([{ seen: 4, open: true }]);
  });

  it.each(["critical", "warning"])(
    "that is %s and was not seen for an hour rings again",
    async (severity) => {
      const { subject } = await opened(severity);
      await clock.advance(3600);
      await raise(subject, severity);
      expect(await rung(subject)).toHaveLength(1);
      await clock.advance(3601);
      await raise(subject, severity);
      expect(await rung(subject)).toHaveLength(2);
      expect(await rows(subject)).toMatchObject([{ seen: 3, open: true }]);
    },
  );

  it("is not answered where there is none, or by nobody, or without a reason", async () => {
    const { subject, id } = await opened();
    const cases: [string, unknown[], string][] = [
      ["acknowledge_alert($1, 'test')", [nobody], "not_found"],
      ["acknowledge_alert($1, 'test')", [null], "not_found"],
      ["acknowledge_alert($1, '')", [id], "invalid_request"],
      ["close_alert($1, 'why', 'test')", [nobody], "not_found"],
      ["close_alert($1, ' ', 'test')", [id], "invalid_request"],
      ["close_alert($1, null, 'test')", [id], "invalid_request"],
      ["close_alert($1, $2, 'test')", [id, "x".repeat(501)], "invalid_request"],
      ["close_alert($1, 'why', null)", [id], "invalid_request"],
    ];
    for (const [sql, params, code] of cases) {
      expect(await administer(db, sql, params), sql).toMatchObject({ refused: code });
    }
    expect(await rows(subject)).toMatchObject([{ open: true, acknowledged_by: null }]);
  });

  it("that somebody took note of stays open, in the name of the first", async () => {
    const { subject, id } = await opened();
    await administer(db, "acknowledge_alert($1, 'cli:olga')", [id]);
    expect(await administer(db, "acknowledge_alert($1, 'cli:otto')", [id])).toMatchObject({
      acknowledged_by: "cli:olga",
    });
    expect(await rows(subject)).toMatchObject([{ open: true, acknowledged_by: "cli:olga" }]);
  });

  it("that somebody closed stays so, with the reason, audited; what happens again is another", async () => {
    const { subject, id } = await opened();
    expect(await administer(db, "close_alert($1, ' corrected ', 'cli:olga')", [id])).toMatchObject({
      subject,
      closed_by: "cli:olga",
    });
    expect(await administer(db, "close_alert($1, 'again', 'cli:otto')", [id])).toMatchObject({
      refused: "not_found",
    });
    await raise(subject);
    expect(await rows(subject)).toMatchObject([
      { open: false, closed_by: "cli:olga", close_reason: "corrected" },
      { open: true, closed_by: null, seen: 1 },
    ]);
    expect(await rung(subject)).toHaveLength(2);
    const audited = await db.owner(
      "select actor from public.audit_logs where action = 'alert.close' and object = $1 and code is null",
      [`alert:${id}`],
    );
    expect(audited).toEqual([{ actor: "cli:olga" }]);
  });

  it("is closed by somebody with a reason, whoever writes the row", async () => {
    const { id } = await opened();
    for (const change of ["closed_by = 'x'", "closed_at = now(), closed_by = 'x'"]) {
      await expect(
        db.owner(`update public.alerts set ${change} where alert_id = $1`, [id]),
      ).rejects.toMatchObject({ constraint: "closed_by_somebody_with_a_reason" });
    }
  });
});
