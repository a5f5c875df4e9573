import { describe, expect, it } from "vitest";
import { nudger } from "../../../functions/_edge/nudge.ts";

function nudging(answer: () => Promise<Response>, url: string | null = "https://p.example") {
  const asked: Request[] = [];
  const lines: string[] = [];
  const nudge = nudger({
    url,
    serviceToken: "service-token",
    fetch: (input, init) => {
      asked.push(new Request(input, init));
      return answer();
    },
    log: (line) => lines.push(line),
  });
  nudge();
  return { asked, lines };
}

describe("nudger", () => {
  it("asks nobody where there is no address", () => {
    expect(nudging(() => Promise.resolve(new Response()), null).asked).toEqual([]);
  });

  it("leaves a line and no unhandled error when nobody answers, for the schedule finds the task", async () => {
    const { lines } = nudging(() => Promise.reject(new TypeError("https://p.example refused")));
    await new Promise((resolve) => setTimeout(resolve));
    expect(lines).toEqual(['{"outcome":"nudge_failed","error":"TypeError"}']);
  });

  it("asks for one tick under the service token", () => {
    const { asked } = nudging(() => Promise.resolve(new Response()));
    expect(asked.map(({ url, method }) => [url, method]))
      .toEqual([["https://p.example/functions/v1/orchestrator/tick", "POST"]]);
    expect(asked[0].headers.get("authorization")).toBe("Bearer service-token");
  });
});
