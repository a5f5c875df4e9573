import { describe, expect, it } from "vitest";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { admit, serviceCaller, watched } from "../../../functions/_edge/door.ts";
import { note } from "../../../functions/_edge/log.ts";
import { refuse, respond } from "../../../functions/_edge/respond.ts";

const door = { method: "POST", caller: serviceCaller("s3rvice"), maxBytes: 8 };

function request(init: { method?: string; token?: string; body?: string }) {
  return new Request("http://x/intake/tradingview/path-secret", {
    method: init.method ?? "POST",
    body: init.method === "GET" ? undefined : init.body ?? "",
    headers: init.token ? { authorization: `Bearer ${init.token}` } : {},
  });
}

const statusOf = async (init: Parameters<typeof request>[0]) => {
  const visit = await admit(request(init), door);
  return visit instanceof Response ? visit.status : visit;
};

describe("admit", () => {
  it("refuses the method before it asks who is there, and names the one it takes", async () => {
    const refused = await admit(request({ method: "GET" }), door) as Response;
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("POST");
  });

  it("refuses a stranger before it looks at the size of what was brought", async () => {
    expect(await statusOf({ body: "x".repeat(100) })).toBe(401);
    expect(await statusOf({ token: "wrong", body: "x" })).toBe(401);
  });

  it("refuses a body that is too large from a caller it knows", async () => {
    expect(await statusOf({ token: "s3rvice", body: "x".repeat(9) })).toBe(413);
  });

  it("opens to nobody while no service token is set", async () => {
    expect(await serviceCaller("")(request({ token: "x" }))).toBeNull();
  });

  it("hands over the caller and the body", async () => {
    expect(await statusOf({ token: "s3rvice", body: "hello" }))
      .toMatchObject({ caller: "service", text: "hello" });
  });
});

describe("watched", () => {
  async function visit(handler: (request: Request) => Promise<Response>) {
    const lines: string[] = [];
    let ms = 1_000;
    const watch = { log: (line: string) => lines.push(line), now: () => new Date(ms += 5) };
    const response = await watched("intake", watch, handler)(request({}));
    expect(lines).toHaveLength(1);
    return { response, body: await response.json(), line: JSON.parse(lines[0]), text: lines[0] };
  }

  it("turns a thrown error into 500 and tells the caller nothing about it", async () => {
    const { response, body, line } = await visit(() => Promise.reject(new Error("db exploded")));
    expect(response.status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("exploded");
    expect(line).toMatchObject({ outcome: "error", code: "internal", status: 500 });
    expect(line.error).toContain("db exploded");
  });

  it("answers 503 when the database is lost, which is no surprise and has its own code", async () => {
    const { response, line } = await visit(() => Promise.reject(new Refusal("unavailable")));
    expect(response.status).toBe(503);
    expect(line).toMatchObject({ code: "unavailable", outcome: "error" });
    expect(line.error).toBeUndefined();
  });

  it("writes one line with the task, the outcome and the time, and nothing of the path or the body", async () => {
    const { line, text } = await visit((request) => {
      note(request, { task_id: "T-2025-09-28-0012", outcome: "accepted" });
      return Promise.resolve(respond({ secret: "payload" }, 202));
    });
    expect(line).toEqual({
      ts: "1970-01-01T00:00:01.010Z",
      function: "intake",
      outcome: "accepted",
      code: null,
      task_id: "T-2025-09-28-0012",
      step_id: null,
      ms: 5,
      status: 202,
    });
    expect(text).not.toMatch(/path-secret|payload/);
  });

  it("logs the code of a refusal without being told", async () => {
    const { line } = await visit(() => Promise.resolve(refuse("unauthorized")));
    expect(line).toMatchObject({ outcome: "refused", code: "unauthorized", task_id: null });
  });

  it("does not write an identifier that does not look like one", async () => {
    const { line } = await visit((request) => {
      note(request, { task_id: "call +44 20 7946 0958" });
      return Promise.resolve(respond({}));
    });
    expect(line.task_id).toBeNull();
  });
});
