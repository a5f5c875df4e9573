import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goodAlert, Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 60_000);
afterAll(() => stack?.remove());

const count = async (where: string) =>
  Number((await stack.sql<{ n: number }>(`select count(*) as n from ${where}`))[0].n);

describe("the door", () => {
  it("answers 401 to a wrong token and keeps nothing", async () => {
    expect((await stack.alert(goodAlert(), "not-the-token")).status).toBe(401);
    expect(await count("public.event_receipts")).toBe(0);
  });

  it("answers 413 to a body over 16 KiB", async () => {
    expect((await stack.alert("x".repeat(16 * 1024 + 1))).status).toBe(413);
  });

  it("answers 405 to GET", async () => {
    expect((await fetch(`${stack.url}/intake/tradingview/desk-token-0123456789`)).status).toBe(405);
  });

  it("answers 422 with a reason to what nobody can use, keeps the receipt, and never a 5xx", async () => {
    const bodies = [
      "",
      "hello",
      "{",
      "[1,2]",
      "\u0000",
      '{"ticker":"{{ticker}}"}',
      "null",
      '""',
      "{".repeat(5000),
      "\ud800",
    ];
    for (const body of bodies) {
      const answer = await stack.alert(body);
      expect([body, answer.status]).toEqual([body, 422]);
      expect(await answer.json()).toMatchObject({
        error: "unusable_alert",
        reason: expect.any(String),
      });
    }
    expect(await count("public.event_receipts where outcome = 'refused'")).toBe(bodies.length);
  });

  it("takes any content type, and tells a repeat by its task id", async () => {
    const body = JSON.stringify(goodAlert({ price: 1 }));
    const first = await stack.post("/intake/tradingview/desk-token-0123456789", body, {
      "content-type": "image/png",
    });
    const again = await stack.alert(body);
    expect([first.status, again.status]).toEqual([202, 200]);
    const [one, two] = [await first.json(), await again.json()];
    expect(one).toMatchObject({ duplicate: false, status: "created" });
    expect(two).toMatchObject({ duplicate: true, task_id: one.task_id });
    expect(one.task_id).toMatch(/^T-\d{4}-\d{2}-\d{2}-\d{4,}$/);
  });

  it("makes three tasks of one constant id with three bodies, and marks the later two", async () => {
    const answers = await Promise.all(
      [1, 2, 3].map((n) =>
        stack.alert(goodAlert({ id: "always-the-same", price: 100 + n, sl: 99, tp: 110 }))
      ),
    );
    const ids = new Set(
      await Promise.all(answers.map(async (answer) => (await answer.json()).task_id)),
    );
    expect(ids.size).toBe(3);
    expect(await count("public.tasks where source_event_id = 'always-the-same' and id_reused"))
      .toBe(2);
  });

  it("keeps a secret of the body out of the database and of the log", async () => {
    await stack.alert(goodAlert({ passphrase: "open-sesame-4711", price: 5 }));
    await stack.alert('{"passphrase": "open-sesame-4711", broken');
    const found = await count(
      "(select body as t from public.event_receipts union all select payload_json::text from public.tasks union all select coalesce(after_json::text, '') from public.audit_logs union all select content from public.artifacts) x where t like '%sesame%'",
    );
    expect(found).toBe(0);
    expect(stack.out).not.toContain("sesame");
  });

  it("refuses a task request without the service token, with another shape, or with an action the policy does not name", async () => {
    expect((await stack.post("/intake/tasks", {})).status).toBe(401);
    const wrong = await stack.service("/intake/tasks", { source: "desk" });
    expect([wrong.status, (await wrong.json()).error]).toEqual([422, "invalid_request"]);
    const unknown = await stack.ask("LAUNCH_ROCKET", "Launch", {});
    expect([unknown.status, (await unknown.json()).error]).toEqual([422, "unclassified_action"]);
  });

  it("takes every action of the policy", async () => {
    for (
      const action of [
        "READ",
        "RESEARCH",
        "RETRIEVE",
        "WRITE_DB",
        "SUMMARIZE",
        "DRAFT_REPLY",
        "PUBLISH",
        "SOCIAL_POST",
        "TRADE",
        "PAYMENT",
        "WITHDRAWAL",
      ]
    ) {
      const answer = await stack.ask(action, `Ask for ${action}`, {
        text: "The level held twice.",
        summary: "Level",
      });
      expect([action, answer.status]).toEqual([action, 202]);
    }
    await Stack.until(
      "the T0 and T1 tasks",
      async () =>
        await count(
          "public.tasks where risk_tier in ('T0', 'T1') and source = 'desk' and status <> 'archived'",
        ) === 0,
      30_000,
    );
    expect(await count("public.tasks where source = 'desk' and status = 'archived'")).toBe(6);
  }, 60_000);

  it("compares the webhook's secret before it reads anything", async () => {
    expect(
      (await stack.post("/telegram-webhook", "{}", { "x-telegram-bot-api-secret-token": "wrong" }))
        .status,
    ).toBe(401);
    expect((await stack.post("/telegram-webhook", "{}")).status).toBe(401);
  });

  it("wants the service token for ticks and the critic", async () => {
    for (const path of ["/orchestrator/tick", "/communicator/tick", "/critic"]) {
      expect([path, (await stack.post(path, {})).status]).toEqual([path, 401]);
    }
    expect((await stack.service("/orchestrator/tick", {})).status).toBe(200);
    expect((await stack.service("/communicator/tick", {})).status).toBe(200);
  });

  it("scores a stored artifact for whoever has the service token", async () => {
    const [artifact] = await stack.sql<{ storage_ref: string }>(
      "select storage_ref from public.artifacts where type in ('idea', 'result') order by created_at limit 1",
    );
    const answer = await stack.service("/critic", {
      input_ref: artifact.storage_ref,
      checks: ["policy", "factuality", "format", "risk"],
      threshold: 0.8,
    });
    expect(answer.status).toBe(200);
    const body = await answer.json();
    expect(Object.keys(body).sort()).toEqual([
      "checks",
      "critic",
      "red_flags",
      "rubric",
      "score",
      "threshold",
      "verdict",
    ]);
    expect(
      (await stack.service("/critic", {
        input_ref: "supa://artifacts/nothing.json",
        checks: ["policy"],
        threshold: 0.8,
      })).status,
    ).toBe(404);
  });

  it("shows its status to anyone and its details to the service token alone", async () => {
    const anyone = await (await fetch(`${stack.url}/dags-domain-health`)).json();
    expect(Object.keys(anyone)).not.toContain("tables");
    const details = JSON.stringify(await stack.health());
    for (const word of ["tasks", "mirror", "policy", "clock", "members", "observed_at"]) {
      expect(details).toContain(word);
    }
  });

  it("logs one JSON line per request, with the task it was about", async () => {
    const { task_id } = await (await stack.alert(goodAlert({ price: 77, sl: 70, tp: 95 }))).json();
    const line = await Stack.until(
      "the log line",
      () => stack.out.split("\n").find((text) => text.startsWith("{") && text.includes(task_id)),
    );
    expect(JSON.parse(line)).toMatchObject({ function: "intake", task_id, status: 202 });
  });
});
