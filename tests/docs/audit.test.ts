import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  claim,
  decide,
  lease,
  openCode,
  policySha256,
  policyText,
  reserve,
  runToGate,
  sha256,
  signalAtGate,
} from "../support/line.ts";
import { consistency } from "./audit-plants/consistency.ts";
import { governance } from "./audit-plants/governance.ts";
import { listed } from "./audit-plants/listed.ts";
import type { Plant } from "./audit-plants/plant.ts";
import { running } from "./audit-plants/running.ts";

const plants: Plant[] = [...governance, ...consistency, ...running, ...listed];

const directory = new URL("../../docs/audit/", import.meta.url);
const queries = readdirSync(directory).filter((name) => name.endsWith(".sql")).map((name) => {
  const text = readFileSync(new URL(name, directory), "utf8");
  return { name: name.replace(/\.sql$/, ""), text, finds: text.startsWith("-- finds: ") };
});
const textOf = (name: string) => queries.find((query) => query.name === name)?.text ?? "";

type Row = Record<string, unknown>;
let db: TestDatabase;

/** Runs a query as the auditor, read-only, in a transaction that is rolled back, after what the owner plants in it. */
async function audit(text: string, planted: string[] = []): Promise<Row[]> {
  let rows: Row[] = [];
  await db.pg.transaction(async (tx) => {
    if (planted.length > 0) {
      await tx.exec("set local role postgres; set local session_replication_role = replica");
      for (const sql of planted) await tx.exec(sql);
      await tx.exec("set local session_replication_role = origin");
    }
    await tx.exec("set local role auditor; set transaction read only");
    rows = (await tx.query<Row>(text)).rows;
    await tx.rollback();
  });
  return rows;
}

const nextPolicy = `${policyText}# the same, said again\n`;

/** Archives whatever waits for it. */
async function archiveOne(): Promise<void> {
  const [archive] = await claim(db);
  await db.database.call("archive_task", {
    ...lease(archive),
    p_chunks: [{ symbol: "BTCUSDT", content: "long 67000", embedding: Array(384).fill(0.05) }],
  });
}

async function send(outcome: string, sha = policySha256): Promise<string> {
  const [work] = await claim(db, ["communicator"]);
  const reserved = await reserve(db, work, { p_policy_sha256: sha });
  const fence = {
    p_effect_id: reserved.effect_id,
    p_attempt: work.attempt,
    p_lease_token: work.lease_token,
  };
  await db.database.call("start_effect", fence);
  await db.database.call("confirm_effect", {
    ...fence,
    p_outcome: outcome,
    p_receipt: { message_id: "7" },
  });
  return reserved.effect_id as string;
}

async function publishOne(): Promise<void> {
  const taskId = await signalAtGate(db);
  await decide(db, "1001", await openCode(db, taskId));
  await send("confirmed");
  await archiveOne();
}

/** Nobody saw the answer; a person looked and found the post. */
async function settleOne(): Promise<void> {
  const taskId = await signalAtGate(db);
  await decide(db, "1001", await openCode(db, taskId));
  const effect = await send("unknown");
  await db.as(
    "administrator",
    "select api.settle_effect($1, 'confirmed', 'it is in the channel', 'wanda')",
    [effect],
  );
  await archiveOne();
}

/** The policy changes after the yes: people are asked anew and say yes again. */
async function askAnew(): Promise<void> {
  const taskId = await signalAtGate(db);
  await decide(db, "1001", await openCode(db, taskId));
  await activate(db, nextPolicy);
  const [work] = await claim(db, ["communicator"]);
  const sha = sha256(nextPolicy);
  expect(await reserve(db, work, { p_policy_sha256: sha })).toMatchObject({
    refused: "digest_drift",
  });
  await decide(db, "1001", await openCode(db, taskId), "approve", { policy_sha256: sha });
  await send("confirmed", sha);
  await archiveOne();
  await activate(db);
}

async function answerOne(): Promise<void> {
  await accept(db, alertEvent("read", { source: "desk", action: "READ" }));
  const effect = await runToGate(db);
  if (effect === null) throw new Error("no effect step became ready");
  await reserve(db, effect, { p_kind: "record", p_channel: "internal", p_payload: {} });
  const [archive] = await claim(db);
  await db.database.call("archive_task", { ...lease(archive), p_chunks: [] });
}

/** Everything that is queued goes out, as a working communicator would see to it. */
async function deliver(): Promise<void> {
  const claimed = await db.database.call<Row[]>("claim_notifications", {
    p_worker: "test",
    p_limit: 100,
  });
  await db.database.call("complete_notifications", {
    p_results: claimed.map(({ notification_id }, i) => ({
      notification_id,
      outcome: "sent",
      message_id: String(i + 1),
      channel: "telegram",
    })),
  });
}

beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "owner", "wanda", "1000");
  await addMember(db, "operator", "olga", "1001");
  await db.as(
    "administrator",
    `select api.record_chaos_run('tool-down', 5, true, 'tool-failure', '{"injected": "x", "observed": "y"}', 'wanda')`,
  );
  await publishOne();
  await settleOne();
  await askAnew();
  await answerOne();
  // A person's no, a repeat, a refusal at the door: everyday things like those above, and no findings.
  const rejected = await signalAtGate(db);
  await decide(db, "1001", await openCode(db, rejected), "reject");
  await accept(db, alertEvent("BUY ETHUSDT"));
  await accept(db, alertEvent("BUY ETHUSDT"));
  await accept(db, alertEvent("dance", { action: "DANCE" }));
  const trade = await accept(db, alertEvent("trade", { source: "desk", action: "TRADE" }));
  await runToGate(db);
  await decide(db, "1000", await openCode(db, trade.task_id as string));
  await deliver();
  await db.owner(
    "insert into public.one_drive_assets (object_key, etag) values ('dags/2025/manifest.json', 'e1')",
  );
  await db.database.call("sweep");
});
afterAll(() => db.close());

describe("the audit queries", () => {
  it.each(queries)(
    "$name says what it shows and how to read it, in a sentence each",
    ({ text, name }) => {
      const [first, second, third] = text.split("\n");
      expect(first).toMatch(/^-- (finds|lists): [^\n]{10,}\.$/);
      expect(second).toMatch(/^-- Read: [^\n]{10,}\.$/);
      expect(third).not.toMatch(/^--/);
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    },
  );

  it.each(queries)("$name is one statement that the auditor can run", async ({ text }) => {
    expect(text.trimEnd()).toMatch(/;$/);
    await expect(audit(text)).resolves.toBeInstanceOf(Array);
    // The command line asks through a cursor, which takes one question and nothing else.
    await expect(audit(`declare answer no scroll cursor for ${text}`)).resolves.toEqual([]);
  });

  it.each(queries.filter(({ finds }) => finds))(
    "$name is silent on clean data",
    async ({ text }) => {
      expect(await audit(text)).toEqual([]);
    },
  );

  it.each(queries.filter(({ finds }) => finds))(
    "$name names every fault it can find in its own text",
    ({ name, text }) => {
      const findings = [
        ...text.matchAll(/(?:select|union all\nselect) '((?:[^']|'')+)'(?: as finding)?,/g),
      ].map(([, words]) => words.replaceAll("''", "'"));
      expect(findings).not.toEqual([]);
      const planted = plants.filter(({ query }) => query === name);
      const unproved = findings.filter((words) =>
        !planted.some(({ shows: [, pattern] }) => pattern.test(words))
      );
      expect(unproved).toEqual([]);
    },
  );

  it("has a planted fault for every query", () => {
    const planted = new Set(plants.map(({ query }) => query));
    expect(queries.map(({ name }) => name).filter((name) => !planted.has(name))).toEqual([]);
    expect([...planted].filter((name) => textOf(name) === "")).toEqual([]);
  });

  it.each(plants)(
    "$query shows: $fault",
    async ({ query, sql, shows: [column, pattern] }: Plant) => {
      const shown = (rows: Row[]) => rows.filter((row) => pattern.test(String(row[column])));
      expect(shown(await audit(textOf(query)))).toEqual([]);
      const found = shown(await audit(textOf(query), sql));
      expect(found.length).toBeGreaterThan(0);
      if (column === "finding") {
        expect(Object.keys(found[0])).toEqual([
          "finding",
          "object",
          "task_id",
          "detail",
        ]);
      }
    },
  );

  it("the mirror query is the playbook's, and gives a key", async () => {
    expect(await audit(textOf("mirror"))).toEqual([{ object_key: "dags/2025/manifest.json" }]);
    expect(await audit(textOf("mirror"), ["delete from public.one_drive_assets"])).toEqual([]);
  });

  it("a T3 task stopped at its gate shows who is missing", async () => {
    expect(await audit(textOf("t3_gate"))).toMatchObject([{
      gate: "half",
      missing: ["operator_approval"],
      effect: "none",
    }]);
  });

  it("lists each decision with approver, time and artifacts", async () => {
    const rows = await audit(textOf("human_in_the_loop"));
    expect(rows).toHaveLength(6);
    for (const row of rows) {
      expect(row).toMatchObject({
        channel: "telegram",
        artifacts: expect.any(Array),
        audit_id: expect.anything(),
      });
    }
  });

  it("a write fails as the auditor, and in a read-only transaction", async () => {
    await expect(audit("delete from public.tasks")).rejects.toThrow(/read-only|permission denied/);
    await expect(db.as("auditor", "delete from public.tasks")).rejects.toThrow(/permission denied/);
  });
});
