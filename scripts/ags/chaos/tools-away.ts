import { patientJudge } from "../../../functions/_channels/patient-judge.ts";
import { breakersOf } from "../../../functions/_database/breakers.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { outsideOf } from "../../../functions/orchestrator/outside.ts";
import { toolFailure } from "../runbooks/tool-failure.ts";
import { breakerState, type ChaosCase } from "./scene.ts";

/** Prices answer 503 five times; the runbook leaves them alone and trusts them again when its canary comes back. */
export const toolDown: ChaosCase = async (scene) => {
  let isDown = true;
  let calls = 0;
  const answers: typeof globalThis.fetch = () => {
    calls += 1;
    return Promise.resolve(
      isDown ? new Response("down", { status: 503 }) : Response.json({
        symbol: "BTCUSDT",
        lastPrice: "67000",
        bidPrice: "66999",
        askPrice: "67001",
        closeTime: scene.now().getTime(),
      }),
    );
  };
  const { market } = outsideOf({
    environment: { quoteUrl: "https://quotes.invalid", bridge: null },
    database: scene.db.database,
    fetch: answers,
    now: scene.now,
  });
  const read = () => market("BTCUSDT").then(() => "a price", codeOf);
  const during: string[] = [];
  for (let i = 0; i < 6; i++) {
    during.push(await read());
    await scene.advance(1);
  }
  const opened = await breakerState(scene.db, "quotes.read");
  const callsWhileDown = calls;
  isDown = false;
  scene.canary = async () => {
    const answer = await answers("https://quotes.invalid");
    return { asked: true, good: answer.ok, said: `HTTP ${answer.status}` };
  };
  await scene.run(toolFailure, { tool: "quotes.read" });
  const after = await read();
  return {
    injected: `quotes.read answered ${callsWhileDown} calls with HTTP 503`,
    observed: `${during.join(", ")}; breaker ${opened}; after the runbook: ${after}`,
    recovered: callsWhileDown === 5 && opened === "open" && during.at(-1) === "breaker_open" &&
      after === "a price" && await breakerState(scene.db, "quotes.read") === "closed",
    runbook: "tool-failure",
  };
};

/** The judge's model hangs: a faster one marks a shorter text, and the first is asked again when it is back. */
export const llmTimeout: ChaosCase = async (scene) => {
  let hangs = true;
  const asked: { model: string; size: number }[] = [];
  const marks = { policy: 1, evidence: 2, factuality: 3, clarity: 2, risk: 1, notes: [] };
  const answers: typeof globalThis.fetch = (_, init) => {
    const body = String(init?.body);
    const { model } = JSON.parse(body);
    asked.push({ model, size: body.length });
    if (hangs && model === "slow") {
      return new Promise((_, reject) =>
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason))
      );
    }
    const content = JSON.stringify(marks);
    return Promise.resolve(
      Response.json({ choices: [{ finish_reason: "stop", message: { content } }] }),
    );
  };
  const judge = patientJudge({
    baseUrl: "https://models.invalid/v1",
    model: "slow",
    fastModel: "fast",
    apiKey: null,
    fetch: answers,
    timeoutMs: 200,
    breakers: breakersOf({ database: scene.db.database, now: scene.now }),
  });
  const input = { goal: "publish", content: "a".repeat(20_000), evidence: ["b".repeat(5_000)] };
  const during = await judge.score(input);
  const [first, second] = asked;
  hangs = false;
  const after = await judge.score(input);
  const note = during?.notes[0] ?? "no marks";
  return {
    injected: `the first of ${asked.length} calls of the judge's model got no answer`,
    observed: `${note} (${first?.size} characters, then ${second?.size}); afterwards ${
      after === null ? "no marks" : `marks by ${asked.at(-1)?.model}`
    }`,
    recovered: note.includes("took too long") && second.size < first.size && after !== null &&
      asked.at(-1)?.model === "slow" && await breakerState(scene.db, "llm.judge") === "closed",
    runbook: "tool-failure",
  };
};

export const codeOf = (error: unknown): string => {
  if (error instanceof Refusal) return error.code;
  throw error;
};
