import { freezeClock } from "../../../tests/support/clock.ts";
import * as line from "../../../tests/support/line.ts";
import { administer } from "../../../tests/support/personas.ts";
import { Findings, type Row } from "../row.ts";
import { inParallel } from "../running-stack.ts";

const tool = "broker.order";

const edges: Row = {
  id: 46,
  fault: "a breaker at its edges: 4 failures, 5 in 61 s, 5 in 59 s, 50 probes at once, flapping",
  promise: "opens after 5 in a row within 60 s; after 120 s one probe, whoever asks",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const clock = await freezeClock(db, "2027-05-01T10:00:00Z");
    const pools = [db.database, db.connect(10), db.connect(10), db.connect(10)];
    const report = (p_outcome: string, p_probe: unknown = null) =>
      db.database.call<line.Answer>("report_call", { p_tool: tool, p_probe, p_outcome });
    const admit = (i = 0) =>
      pools[i % pools.length].call<line.Answer>("admit_call", { p_tool: tool });
    const state = async () =>
      (await db.owner<{ state: string }>(
        "select state from public.circuit_breakers where tool = $1",
        [tool],
      ))[0].state;
    const failures = async (seconds: number[]) => {
      for (const pause of seconds) {
        await clock.advance(pause);
        await report("failure");
      }
      return await state();
    };
    const cases: [string, number[], string][] = [
      ["4 failures", [1, 1, 1, 1], "closed"],
      ["5 in 61 s", [1, 15.25, 15.25, 15.25, 15.25], "closed"],
      ["5 in 59 s", [1, 14.75, 14.75, 14.75, 14.75], "open"],
    ];
    for (const [what, pauses, wanted] of cases) {
      await report("success");
      const seen = await failures(pauses);
      found.must(seen === wanted, `${what}: ${seen}`);
      found.proof(`${what}: ${seen}`);
    }
    let probes = 0;
    let refused = 0;
    const rounds = scene.times(6);
    for (let round = 0; round < rounds; round++) {
      await clock.advance(119.999);
      const early = await inParallel(20, 20, admit);
      found.must(
        early.every((answer) => answer.refused === "breaker_open"),
        "a probe was given out before two minutes",
      );
      await clock.advance(0.001);
      const answers = await inParallel(50, 50, admit);
      const given = answers.filter(({ probe }) => probe);
      found.must(given.length === 1, `${given.length} probes at once`);
      found.must(
        answers.filter((answer) => answer.refused === "breaker_open").length === 49,
        "somebody passed without a probe",
      );
      probes += given.length;
      refused += early.length + answers.length - given.length;
      await report(round === rounds - 1 ? "success" : "failure", given[0]?.probe);
      const now = await state();
      found.must(
        now === (round === rounds - 1 ? "closed" : "open"),
        `after its probe it is ${now}`,
      );
    }
    found.counted(refused, "calls turned away while it was open");
    found.saw(`${probes} probes in ${rounds} rounds of 50 askers, closed by the last`);
    return found.outcome(`failures to the second, ${rounds} races for the probe from four pools`);
  },
};

const fallbackDown: Row = {
  id: 48,
  fault: "the fallback queue is full, then cannot be written",
  promise: "parked with an alert, nothing lost, no failure counted, let go in order",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const clock = await freezeClock(db, "2027-05-01T10:00:00Z");
    await administer(db, "trip_breaker($1, 'down', 'test')", ["telegram.post"]);
    await db.owner(
      "create or replace function private.fallback_bound() returns integer language sql immutable set search_path = '' as 'select 3'",
    );
    const places: string[] = [];
    const steps: string[] = [];
    const park = async () => {
      const { work } = await line.approvedSignal(db);
      const answer = await line.fail(db, work, "breaker_open", {
        p_tool: "telegram.post",
        p_error: "It rests.",
      });
      places.push(String(answer.fallback));
      steps.push(work.step_id);
      await clock.advance(1);
    };
    for (let i = 0; i < 5; i++) await park();
    await db.owner("alter table public.fallback_queue rename to fallback_queue_gone");
    await park();
    await db.owner("alter table public.fallback_queue_gone rename to fallback_queue");
    found.must(
      places.slice(0, 3).every((place) => place === "queued"),
      `places: ${places.join(" ")}`,
    );
    found.must(places.slice(3).every((place) => place === "parked"), `places: ${places.join(" ")}`);
    const alerts = await db.count("public.alerts where code in ('fallback_full', 'fallback_down')");
    found.must(alerts >= 2, `${alerts} alerts`);
    const waiting = await db.count(
      "public.task_steps where step_id = any ($1) and status = 'ready' and failures = 0",
      [steps],
    );
    found.must(waiting === steps.length, `${waiting} of ${steps.length} wait without a failure`);
    await administer(db, "reset_breaker($1, 'mended', 'test')", ["telegram.post"]);
    const went: string[] = [];
    for (let i = 0; i < 400 && went.length < steps.length; i++) {
      await db.owner("select private.tend_breakers()");
      for (const work of await line.claim(db, ["communicator"])) {
        went.push(work.step_id);
        const { effect_id } = await line.reserve(db, work);
        await line.start(db, effect_id, work);
        await line.confirm(db, effect_id, work);
        db.sink.push(String(effect_id));
      }
      await clock.advance(5);
    }
    found.must(went.length === steps.length, `${went.length} of ${steps.length} went on`);
    found.must(
      went.filter((id) => steps.slice(0, 3).includes(id)).join() === steps.slice(0, 3).join(),
      "the queue's order was not kept",
    );
    found.counted(
      places.filter((place) => place === "parked").length,
      "steps parked beyond the queue",
    );
    found.saw(
      `${places.join(" ")}; ${alerts} alerts; all ${went.length} published, the queue in its order`,
    );
    return found.outcome("a queue of three places, then none at all");
  },
};

export const breakers = [edges, fallbackDown];
