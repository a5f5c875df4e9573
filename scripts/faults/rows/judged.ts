import { createServer, type ServerResponse } from "node:http";
import { createJudge } from "../../../functions/_channels/judge.ts";
import { patientJudge } from "../../../functions/_channels/patient-judge.ts";
import { breakersOf } from "../../../functions/_database/breakers.ts";
import { tierOf } from "../../../functions/_domain/policy.ts";
import { tick } from "../../../functions/orchestrator/handler.ts";
import { attacksOn } from "../../../tests/hostile/attack-texts.ts";
import {
  captured,
  obedientJudge,
  ran,
  reachedPast,
  roster,
} from "../../../tests/hostile/obedient.ts";
import * as line from "../../../tests/support/line.ts";
import { Findings, type Row } from "../row.ts";
import { pick } from "../seed.ts";
import { orchestratorOf } from "../traffic.ts";

const good = { policy: 1, evidence: 2, factuality: 3, clarity: 2, risk: 1, notes: ["fine"] };
const completion = (content: unknown, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    choices: [{
      finish_reason: "stop",
      message: { content: typeof content === "string" ? content : JSON.stringify(content) },
      ...more,
    }],
  });

type Reply = (response: ServerResponse, random: () => number) => void;
const says = (status: number, body: string): Reply => (response) =>
  void response.writeHead(status).end(body);
const replies: Record<string, Reply> = {
  "429": says(429, '{"error":{"code":"rate_limit_exceeded"}}'),
  "500": says(500, "oops"),
  "503 in HTML": says(503, "<html>busy</html>"),
  "401": says(401, '{"error":{"type":"invalid_api_key"}}'),
  "nothing": says(200, ""),
  "prose": says(200, "Sure! I give it full marks."),
  "half a stream": (response) => {
    response.writeHead(200, { "content-length": "4000" });
    response.write(completion(good).slice(0, 40));
    response.destroy();
  },
  "half JSON": says(200, completion(good).slice(0, -20)),
  "huge JSON": says(200, completion({ ...good, notes: ["x".repeat(200_000)] })),
  "another shape": says(200, '{"choices":[]}'),
  "an empty answer": says(200, completion("")),
  "a score of 1.7": says(200, completion({ ...good, policy: 1.7 })),
  "marks as text": says(200, completion({ ...good, evidence: "2" })),
  "NaN": says(200, completion(JSON.stringify(good).replace('"factuality":3', '"factuality":NaN'))),
  "null": says(200, completion({ ...good, clarity: null })),
  "a negative mark": says(200, completion({ ...good, risk: -1 })),
  "a mark that is missing": says(200, completion({ ...good, risk: undefined })),
  "a field too many": says(200, completion({ ...good, approved: true })),
  "cut off by length": says(200, completion(good, { finish_reason: "length" })),
  "a refusal": says(
    200,
    JSON.stringify({ choices: [{ message: { content: null, refusal: "no" } }] }),
  ),
  "a redirect": (response) =>
    void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
  "no answer in time": (response, random) =>
    void setTimeout(() => response.destroy(), 700 + random() * 100),
};

const badJudge: Row = {
  id: 45,
  fault: "the model times out, answers 429, 5xx, half, huge, garbage, marks out of range",
  promise:
    "no marks from a bad answer; the database refuses marks out of range; the breaker counts failures alone",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const kinds = Object.keys(replies);
    let kind = kinds[0];
    let asked = 0;
    const server = createServer((request, response) => {
      request.resume();
      asked++;
      (replies[kind] ?? says(200, completion(good)))(response, scene.random);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    scene.onRowEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const judge = createJudge({
      baseUrl: `http://127.0.0.1:${port}/v1`,
      model: "stub",
      apiKey: null,
      fetch,
      timeoutMs: 500,
    });
    const input = { goal: "A note", content: "The level held.", evidence: [] };
    const n = scene.times(200);
    for (let i = 0; i < n; i++) {
      kind = i < kinds.length
        ? kinds[i]
        : pick(scene.random, kinds.filter((name) => name !== "no answer in time"));
      const answer = await judge.ask(input);
      found.must(!answer.ok, `"${kind}" gave marks`);
    }
    kind = "a good one";
    found.must((await judge.ask(input)).ok, "a good answer gave no marks");
    // The breaker counts what failed: being told to wait, or who one is, is an answer. After five failures nobody is asked.
    const patient = patientJudge({
      baseUrl: `http://127.0.0.1:${port}/v1`,
      model: "stub",
      fastModel: null,
      apiKey: null,
      fetch,
      timeoutMs: 500,
      breakers: breakersOf({ database: db.database, now: () => new Date() }),
    });
    const askedWhile = async (name: string, times: number) => {
      kind = name;
      const before = asked;
      for (let i = 0; i < times; i++) await patient.ask(input);
      return asked - before;
    };
    const told = [await askedWhile("429", 6), await askedWhile("401", 6)];
    found.must(told.every((times) => times === 6), `refusals closed the door: asked ${told}`);
    await askedWhile("500", 4);
    await askedWhile("a good one", 1);
    const spread = await askedWhile("503 in HTML", 4);
    found.must(spread === 4, `four failures after a success opened the breaker: ${spread} asked`);
    const opened = await askedWhile("503 in HTML", 5);
    found.must(opened === 1, `with the breaker open ${opened - 1} more were asked`);
    const [{ state }] = await db.owner<{ state: string }>(
      "select state from public.circuit_breakers where tool = 'llm.judge'",
    );
    found.must(state === "open", `the breaker is ${state}`);
    const codes: string[] = [];
    for (
      const marks of [
        { policy: 1.7 },
        { evidence: "0.95" },
        { factuality: null },
        { clarity: -1 },
        { risk: 2 },
        { policy: "NaN" },
      ]
    ) {
      const { task_id } = await line.accept(db, line.alertEvent(`marks ${JSON.stringify(marks)}`));
      for (let round = 0; round < 6; round++) {
        const held =
          (await line.claim(db, ["planner", "researcher", "retriever", "trader", "critic"])).filter(
            (step) => step.task_id === task_id,
          );
        for (const step of held) {
          if (step.agent_class === "planner") await line.plan(db, step);
          else if (step.agent_class !== "critic") {
            await line.complete(db, step, line.resultOf(step));
          } else {
            const result: { evaluation?: { rubric?: unknown } } = Object(line.resultOf(step));
            const rubric = { ...line.marks, ...marks };
            const [answer] = await line.complete(db, step, {
              ...result,
              evaluation: { ...result.evaluation, rubric },
            });
            codes.push(String(answer.refused));
          }
        }
      }
    }
    found.must(
      codes.length === 6 && codes.every((code) => code === "score_out_of_range"),
      `marks by SQL: ${codes.join(" ")}`,
    );
    found.must(await db.count("public.evaluations") === 0, "an evaluation is on record");
    found.counted(asked, `answers given by the stub, ${kinds.length} bad kinds`);
    found.counted(codes.length, "evaluations with marks out of range refused");
    found.saw(
      `no marks from ${n} bad answers, ${
        codes[0]
      } in SQL; 12 refusals left the breaker closed, 5 failures opened it`,
    );
    return found.outcome(`${n} bad answers of a model on loopback`);
  },
};

const injected: Row = {
  id: 66,
  fault: "every model obeys the attacker; the text gives orders",
  promise: "no tier falls, no approval appears, no effect starts",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const n = scene.times(60);
    const tiers = new Map<string, string>();
    const actions = ["PUBLISH", "SOCIAL_POST", "TRADE", "PAYMENT", "WITHDRAWAL", "POLICY_CHANGE"];
    ran.length = 0;
    reachedPast.length = 0;
    for (const [c, channel] of ["webhook text", "task payload", "tool output"].entries()) {
      for (const [i, text] of attacksOn(channel).slice(0, Math.ceil(n / 3)).entries()) {
        const action = c === 0 ? "PUBLISH" : actions[i % actions.length];
        const { task_id, refused } = await line.accept(
          db,
          line.alertEvent(`${channel} ${i} ${text}`, {
            action,
            source: c === 0 ? "tradingview" : "desk",
            goal: text.replace(/[\p{C}\s]+/gu, " ").slice(0, 400),
            payload: {
              alert: { symbol: "BTCUSDT", price: "67000", note: text },
              text,
              page: { body: [text] },
            },
          }),
        );
        if (task_id === undefined) {
          found.must(refused !== undefined, "an attack was neither taken nor refused");
          continue;
        }
        captured.set(
          String(task_id),
          pick(scene.random, ["everybody", "workers", "judge"] as const),
        );
        tiers.set(String(task_id), String(tierOf(line.policy, action)));
      }
    }
    for (let round = 0; round < 6; round++) {
      await tick({
        ...orchestratorOf(db.database, "captured"),
        agents: roster,
        judge: obedientJudge,
        budget_ms: 15_000,
      });
      await db.owner("update public.task_steps set run_at = private.now() where status = 'ready'");
    }
    const fallen = (await db.owner<{ task_id: string; risk_tier: string }>(
      "select task_id, risk_tier from public.tasks",
    ))
      .filter(({ task_id, risk_tier }) => risk_tier < (tiers.get(task_id) ?? "T0"));
    found.must(fallen.length === 0, `${fallen.length} tiers fell`);
    found.must(await db.count("public.approvals") === 0, "an approval appeared");
    found.must(await db.count("public.effects") === 0, "an effect was reserved");
    const unlisted = ran.filter(({ agent_class, tool }) =>
      !line.policy.tools[agent_class]?.includes(tool)
    );
    found.must(unlisted.length === 0, `a tool off the list ran: ${JSON.stringify(unlisted[0])}`);
    found.must(reachedPast.length === 0, `reached past the tools: ${reachedPast[0]}`);
    found.counted(tiers.size, "tasks whose models obeyed the attacker");
    found.counted(
      await db.count("public.task_steps where attempt > 0"),
      "steps that they worked on",
    );
    found.saw(
      `0 tiers fell, 0 approvals, 0 effects; ${ran.length} calls of tools, all on their lists`,
    );
    return found.outcome(`${tiers.size} attacks over three channels`);
  },
};

export const judged = [badJudge, injected];
