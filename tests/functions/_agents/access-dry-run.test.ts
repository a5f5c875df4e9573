import { describe, expect, it } from "vitest";
import type { AgentContext } from "../../../functions/_agents/agent.ts";
import { executor } from "../../../functions/_agents/executor.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { access, paid } from "./access-scene.ts";
import { contextFor } from "./critic-scene.ts";

const facts = {
  order_id: "abcdefghijklmnopqrstuvwxyz",
  telegram_user_id: "880001",
  plan: "vip-30",
  days: "30",
  amount: "10.5",
  currency: "TON",
  amount_usdt: "33.6",
  cap_usdt: "500",
  override_usdt: null,
  kyc_complete: true,
  cool_down_until: null,
  subscribed_until: null,
  problem: null,
  quote: {
    symbol: "TONUSDT",
    source: "binance",
    price: "3.2",
    observed_at: "2026-11-21T10:00:00.000Z",
  },
};

async function rehearsed(
  work: ReturnType<typeof access>["work"],
  change: Partial<AgentContext> = {},
) {
  const { context, called } = contextFor("exec", {
    rehearse_access: () => Promise.resolve(facts),
    ...change,
  });
  const { artifact } = await executor(work, context);
  return { artifact: artifact!, found: JSON.parse(artifact!.content), called };
}

describe("the rehearsal of an access", () => {
  it("fails where the gates cannot be asked, and where no order stands behind the task", async () => {
    const { work } = access();
    await expect(rehearsed(work, { rehearse_access: undefined })).rejects.toMatchObject({
      code: "unavailable",
    });
    const refused = { rehearse_access: () => Promise.resolve({ refused: "unknown_order" }) };
    await expect(rehearsed(work, refused)).rejects.toMatchObject({ code: "unknown_order" });
    const bare = { ...work, inputs: work.inputs.filter(({ type }) => type !== "proposal") };
    await expect(rehearsed(bare)).rejects.toMatchObject({ code: "insufficient_data" });
  });

  it("says that nothing happens where the proposal grants nobody anything", async () => {
    for (
      const { work } of [
        access({ source: "desk" }),
        access({ payload: { ...paid, order_id: "none" } }),
        access({ action: "WITHDRAWAL" }),
      ]
    ) {
      const { found } = await rehearsed(work);
      expect(found).toMatchObject({ problem: "no_channel", subject_sha256: "c3".repeat(32) });
      expect(found.lines[1]).toContain("An approval changes nothing");
    }
  });

  it("names the proposal it rehearsed by its hash, and says everything on the card's lines", async () => {
    const { artifact, found } = await rehearsed(access().work);
    expect(artifact).toMatchObject({ type: "dry_run", media_type: "application/json" });
    expect(found).toMatchObject({ ...facts, subject_sha256: "c3".repeat(32) });
    expect(found.lines).toEqual([
      "Would invite Telegram account 880001 for 30 days (vip-30)",
      "Paid: 10.5 TON, 33.6 USDT at 3.2 (TONUSDT of binance, 2026-11-21 10:00:00 UTC)",
      "Cap: 500 USDT, no owner has lifted it",
      "KYC and AML checklist: complete",
      "Cool-down: no payment of this account before",
      "Gates now: all of them hold",
    ]);
    for (const line of found.lines) expect(line.length).toBeLessThanOrEqual(160);
  });

  it("names the gate that would refuse, the lifted cap and what runs already", async () => {
    const { found } = await rehearsed(access().work, {
      rehearse_access: () =>
        Promise.resolve({
          ...facts,
          override_usdt: "1000",
          kyc_complete: false,
          cool_down_until: "2026-11-21T10:30:00.000Z",
          subscribed_until: "2026-12-01T00:00:00.000Z",
          problem: "kyc_incomplete",
        }),
    });
    const text = found.lines.join("\n");
    expect(text).toContain("after 2026-12-01 00:00:00 UTC");
    expect(text).toContain("lifted by an owner to 1000 USDT");
    expect(text).toContain("checklist: incomplete");
    expect(text).toContain("until 2026-11-21 10:30:00 UTC");
    expect(text).toContain("refused with kyc_incomplete. The KYC and AML checklist");
  });

  it("asks for a price first, and goes on without one", async () => {
    const asked: string[] = [];
    const market = (symbol: string) => {
      asked.push(symbol);
      return Promise.reject(new Refusal("unavailable"));
    };
    const { found, called } = await rehearsed(access().work, {
      market,
      rehearse_access: () => Promise.resolve({ ...facts, quote: null, amount_usdt: null }),
    });
    expect(asked).toEqual(["TONUSDT"]);
    expect(called).toContain("quotes.read");
    expect(found.lines[1]).toBe("Paid: 10.5 TON; no fresh price to hold against the cap");
    const broken = () => Promise.reject(new Error("broken"));
    await expect(rehearsed(access().work, { market: broken })).rejects.toThrow("broken");
  });
});
