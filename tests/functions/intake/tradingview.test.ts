import { describe, expect, it } from "vitest";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { handle } from "../../../functions/intake/handler.ts";
import {
  alert,
  at,
  db,
  deps,
  nextSerial,
  nudges,
  receipts,
  send,
  shaOf,
  signal,
  task,
} from "./door.ts";

describe("POST /tradingview/<token>", () => {
  it("refuses a wrong, a shortened and an empty token, and says nothing about the body", async () => {
    for (
      const token of ["wrong", "tv-token-of-bt", "tv-token-of-btc%20", "%00"]
    ) {
      expect((await alert("x".repeat(99_999), "text/plain", token)).status)
        .toBe(401);
    }
    expect((await send("/tradingview/", signal())).status).toBe(404);
    expect((await send("/tradingview", signal())).status).toBe(404);
    expect((await send("/tradingview/tv-token-of-btc/more", signal())).status)
      .toBe(404);
  });

  it("refuses GET, which a browser could be made to send", async () => {
    const response = await handle(
      new Request(`${at}/tradingview/tv-token-of-btc`),
      deps,
    );
    expect([response.status, response.headers.get("allow")]).toEqual([
      405,
      "POST",
    ]);
  });

  it("refuses more than 16 KiB and takes 16 KiB", async () => {
    const padded = (bytes: number) => {
      const body = signal({ note: "" });
      return body.replace(
        '"note":""',
        `"note":"${"n".repeat(bytes - body.length)}"`,
      );
    };
    expect((await alert(padded(16_385))).status).toBe(413);
    expect((await alert(padded(16_384))).status).toBe(202);
  });

  it("refuses what names nothing with a reason, and keeps the receipt", async () => {
    const body = `hello there ${nextSerial()}`;
    const refused = await alert(body);
    expect(refused).toMatchObject({
      status: 422,
      body: { error: "unusable_alert" },
    });
    expect(refused.body.reason).toEqual(expect.any(String));
    const [kept] = await receipts(await shaOf(body));
    expect(kept).toMatchObject({
      outcome: "refused",
      code: "unusable_alert",
      source_name: "btc",
    });
    expect(String(kept.receipt_id)).toBe(String(refused.body.receipt_id));
  });

  it.each([
    ["nothing at all", ""],
    ["bytes that are no text", new Uint8Array([0xff, 0xfe, 0x00, 0x80])],
    ["a NUL within JSON", '{"symbol":"BTC\\u0000USDT","action":"buy"}'],
    [
      "half a surrogate pair",
      '{"symbol":"BTC","action":"buy","note":"\\ud800"}',
    ],
    ["deep nesting", "[".repeat(8_000)],
    [
      "deep balanced nesting",
      `{"symbol":"X","action":"buy","a":${"[".repeat(7000)}${"]".repeat(7000)}}`,
    ],
    [
      "a number beyond every type",
      '{"symbol":"BTCUSDT","action":"buy","price":1e999999}',
    ],
    [
      "an id of an odd type",
      '{"symbol":"BTCUSDT","action":"buy","id":{"a":1}}',
    ],
    ["a prototype's name", '{"__proto__":{"symbol":"X"},"action":"buy"}'],
  ])("never answers %s with a 5xx", async (_, body) => {
    const answer = await alert(body);
    expect([200, 202, 422]).toContain(answer.status);
  });

  it("takes an alert under any content type, and tells who may plan", async () => {
    for (
      const type of [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
      ]
    ) {
      const before = nudges;
      const accepted = await alert(signal(), type);
      expect(accepted).toMatchObject({
        status: 202,
        body: { status: "created", duplicate: false },
      });
      expect(Object.keys(accepted.body).sort()).toEqual([
        "duplicate",
        "status",
        "task_id",
      ]);
      expect(nudges).toBe(before + 1);
    }
  });

  it("answers a repeat with the same task and changes nothing", async () => {
    const body = signal();
    const first = await alert(body);
    const before = nudges;
    const again = await alert(body, "application/json");
    expect(again).toMatchObject({
      status: 200,
      body: { task_id: first.body.task_id, duplicate: true },
    });
    expect(nudges).toBe(before);
    expect(await receipts(await shaOf(body))).toHaveLength(2);
  });

  it("takes the same words from another source for another task", async () => {
    const body = signal();
    const first = await alert(body);
    const other = await alert(body, "text/plain", "tv-token-of-eth");
    expect(other.status).toBe(202);
    expect(other.body.task_id).not.toBe(first.body.task_id);
  });

  it("records whose alert it is and what it said", async () => {
    const { body } = await alert(signal(), "text/plain", "tv-token-of-eth");
    const [row] = await db.owner(
      "select * from public.tasks where task_id = $1",
      [body.task_id],
    );
    expect(row).toMatchObject({
      actor: "tradingview:eth",
      source: "tradingview",
      action: "PUBLISH",
    });
    expect(row.goal).toMatch(/BTCUSDT/);
    expect(row.payload_json).toMatchObject({
      alert: { kind: "entry", symbol: "BTCUSDT" },
    });
  });

  it("keeps no secret that a body carried, nor does the other way in", async () => {
    expect((await alert(signal({ passphrase: "hunter2-hunter2" }))).status)
      .toBe(202);
    const payload = {
      api_key: "hunter2-hunter2",
      note: "the key is hunter2-hunter2",
    };
    const goal = "Use password: hunter2-hunter2";
    const request = {
      source: "desk",
      actor: "petra",
      goal,
      action: "READ",
      payload,
    };
    expect((await task(request)).status).toBe(202);
    const found = await db.owner(
      "select 1 from public.event_receipts where body like '%hunter2%' union all " +
        "select 1 from public.tasks where payload_json::text like '%hunter2%' or goal like '%hunter2%' union all " +
        "select 1 from public.events where payload_json::text like '%hunter2%' union all " +
        "select 1 from public.audit_logs where after_json::text like '%hunter2%'",
    );
    expect(found).toEqual([]);
  });

  it("passes on when the database says to come back", async () => {
    const database = {
      call: <T>() => Promise.resolve({ refused: "rate_limited", retry_after: 7 } as T),
      close: () => Promise.resolve(),
    };
    const answer = await send("/tradingview/tv-token-of-btc", signal(), {}, {
      database,
    });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([
      429,
      "7",
    ]);
  });

  it("leaves a lost database to the door, which says 503 so that TradingView sends again", async () => {
    const database = {
      call: () => Promise.reject(new Refusal("unavailable")),
      close: () => Promise.resolve(),
    };
    await expect(
      send("/tradingview/tv-token-of-btc", signal(), {}, { database }),
    )
      .rejects.toThrow(Refusal);
  });
});
