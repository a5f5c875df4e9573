import { describe, expect, it } from "vitest";
import {
  AnsweredRefusal,
  wasNeverConnected,
} from "../../../functions/_channels/never-connected.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

const failed = (cause: unknown) => new TypeError("fetch failed", { cause });
const coded = (code: string) => Object.assign(new Error(code), { code });

describe("a call that failed", () => {
  it.each<[string, unknown]>([
    ["a guard refused its answer", new AnsweredRefusal("url_denied")],
    ["the other end hung up", failed(coded("ECONNRESET"))],
    ["nobody answered in time", new DOMException("late", "TimeoutError")],
    ["nobody knows why", "no error at all"],
  ])("may have reached somebody where %s", (_, error) => {
    expect(wasNeverConnected(error)).toBe(false);
  });

  it.each<[string, unknown]>([
    ["a guard let nothing out", new Refusal("url_denied")],
    ["nobody listens", failed(coded("ECONNREFUSED"))],
    ["nobody listens at any address", failed(new AggregateError([coded("ECONNREFUSED")]))],
    ["Deno could not connect", new TypeError("client error (Connect): tcp connect error")],
    ["Deno was not permitted to", Object.assign(new Error("net"), { name: "NotCapable" })],
  ])("reached nobody where %s", (_, error) => {
    expect(wasNeverConnected(error)).toBe(true);
  });
});
