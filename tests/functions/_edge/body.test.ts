import { describe, expect, it } from "vitest";
import { readBody } from "../../../functions/_edge/body.ts";

const post = (body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request("http://x", { method: "POST", body, headers, duplex: "half" } as RequestInit);

const streamOf = (pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void) =>
  new ReadableStream<Uint8Array>({ pull });

describe("readBody", () => {
  it("refuses one byte more than the limit and takes the limit itself", async () => {
    expect(await readBody(post("x".repeat(11)), 10)).toMatchObject({ code: "payload_too_large" });
    expect(await readBody(post("x".repeat(10)), 10)).toMatchObject({ ok: true });
  });

  it("counts bytes, not characters", async () => {
    expect(await readBody(post("ééé"), 5)).toMatchObject({ code: "payload_too_large" });
  });

  it("stops reading an endless body without a declared length", async () => {
    let pulled = 0;
    const endless = streamOf((controller) => {
      pulled++;
      controller.enqueue(new Uint8Array(1024));
    });
    expect(await readBody(post(endless), 4096)).toMatchObject({ code: "payload_too_large" });
    expect(pulled).toBeLessThan(10);
  });

  it("stops listening to a body that arrives a byte at a time", async () => {
    let cancelled = false;
    const slow = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.enqueue(new Uint8Array(1));
      },
      cancel: () => void (cancelled = true),
    });
    expect(await readBody(post(slow), 1000, 100))
      .toEqual({ ok: false, code: "invalid_request", reason: "the body took too long to arrive" });
    expect(cancelled).toBe(true);
  });

  it("blames the sender, not the server, when the body breaks off", async () => {
    const broken = streamOf((controller) => controller.error(new Error("reset")));
    expect(await readBody(post(broken), 10)).toMatchObject({ ok: false, code: "invalid_request" });
  });

  it("replaces what is not UTF-8 in the text and keeps the bytes as they came", async () => {
    const body = await readBody(post(new Uint8Array([0x61, 0xff, 0x62])), 10);
    expect(body).toMatchObject({ ok: true, text: "a\ufffdb" });
    expect(body.ok && [...body.bytes]).toEqual([0x61, 0xff, 0x62]);
  });

  it("takes any content type, and no body as an empty one", async () => {
    const typed = await readBody(post("{}", { "content-type": "image/png" }), 10);
    expect(typed).toMatchObject({ ok: true, text: "{}" });
    expect(await readBody(post(null), 10)).toMatchObject({ ok: true, text: "" });
  });
});
