import { Buffer } from "node:buffer";
import { Webhook } from "standardwebhooks";
import { reportVerifier } from "../../../functions/_channels/broker-bridge.ts";
import { pick } from "../seed.ts";
import { Findings, type Row } from "../row.ts";
import { inParallel, RunningStack } from "../running-stack.ts";
import { tally } from "./door.ts";
import { doorOf } from "./intake.ts";

const secretOf = (text: string) => `whsec_${Buffer.from(text.padEnd(32, ".")).toString("base64")}`;
const kept = secretOf("the secret that both know");
const rotatedOut = secretOf("the secret of last quarter");
// A report about an order that nobody placed: a signature that is believed leads to a refusal, not to 401.
const report = JSON.stringify({ key: "T-1:execute:0", status: "refused", reason: "smoke" });

function headersOf(
  body: string,
  { secret = kept, at = new Date(), id = "r-1" } = {},
): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, at, body),
  };
}

const signatures: Row = {
  id: 5,
  fault: "bad, missing, cut, rotated signatures and tokens; extra v1 entries",
  promise: "401 before the body is looked at",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const db = stack.database;
    const found = new Findings();
    const send = doorOf(db, { broker: { verify: reportVerifier(kept) } });
    const statuses: number[] = [];
    const refused = async (headers: Record<string, string>, body = report) => {
      const { status } = await send("/broker", body, headers);
      statuses.push(status);
      found.must(status === 401, `${status} for ${JSON.stringify(headers)}`);
    };
    const good = headersOf(report);
    const n = scene.times(1500);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=, v1\u00e9";
    for (let i = 0; i < n; i++) {
      const name = pick(scene.random, [
        "webhook-signature",
        "webhook-signature",
        "webhook-id",
        "webhook-timestamp",
      ]);
      const at = Math.floor(scene.random() * good[name].length);
      const letter = pick(scene.random, [...alphabet]);
      const changed = good[name].slice(0, at) + letter +
        good[name].slice(at + Math.round(scene.random()));
      // The last letter of base64 has bits that say nothing, and white space around a header is no part of it.
      const same = Buffer.from(changed.replace(/^v1,/, ""), "base64").equals(
        Buffer.from(good[name].replace(/^v1,/, ""), "base64"),
      );
      // The library signs the number that it read: 01795 and +1795 are the same time.
      if (name === "webhook-timestamp" && parseInt(changed, 10) === Number(good[name])) continue;
      if (
        changed.trim() === good[name] ||
        (name === "webhook-signature" && same && changed.startsWith("v1,"))
      ) continue;
      await refused({ ...good, [name]: changed });
    }
    for (const name of Object.keys(good)) {
      await refused(Object.fromEntries(Object.entries(good).filter(([key]) => key !== name)));
    }
    await refused(headersOf(report, { secret: rotatedOut }));
    await refused({ ...good, "webhook-signature": good["webhook-signature"].slice(0, -8) });
    await refused({ ...good, "webhook-signature": "v1,AAAA v1,BBBB v2,CCCC" });
    await refused(good, `${report} `);
    await refused(good, "not even JSON");
    const extra = await send("/broker", report, {
      ...good,
      "webhook-signature": `v1,AAAA ${good["webhook-signature"]} v2,x`,
    });
    found.must(extra.status !== 401, "the right one among extra entries was not found");
    const tokens = await inParallel(scene.times(150), 25, async (i) => {
      const token = "desk-token-0123456789";
      const at = Math.floor(scene.random() * token.length);
      const other = i % 2 ? token.slice(0, at) : `${token.slice(0, at)}~${token.slice(at + 1)}`;
      const response = await stack.post(`/intake/tradingview/${other || "x"}`, "{ this is no JSON");
      await response.arrayBuffer();
      return response.status;
    });
    found.must(tokens.every((status) => status === 401), `tokens: ${tally(tokens)}`);
    const receipts = await db.count("public.event_receipts");
    found.must(receipts === 0, `${receipts} receipts of strangers`);
    found.counted(statuses.length, "changed signatures sent");
    found.counted(tokens.length, "changed tokens sent, with bodies that cannot be read");
    found.saw(`signatures ${tally(statuses)}, tokens ${tally(tokens)}, 0 receipts`);
    return found.outcome("each part of a signature and a token changed at random");
  },
};

const times: Row = {
  id: 6,
  fault: "a right signature with an old or a future time",
  promise: "refused outside five minutes either side",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const send = doorOf(db, { broker: { verify: reportVerifier(kept) } });
    for (const seconds of [-86_400, -310, -290, 0, 290, 310, 86_400, 4e9]) {
      const at = new Date(Date.now() + seconds * 1000);
      const { status } = await send("/broker", report, headersOf(report, { at }));
      const wanted = Math.abs(seconds) > 300;
      found.must((status === 401) === wanted, `${seconds} s: ${status}`);
      found.proof(`${seconds} s: ${status}`);
    }
    found.saw("inside 300 s believed, outside 401");
    return found.outcome("eight times, signed rightly");
  },
};

export const doorSignatures = [signatures, times];
