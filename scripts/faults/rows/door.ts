import { Findings, type Row } from "../row.ts";
import { alertBody, inParallel, reading, RunningStack } from "../running-stack.ts";
import { freezeClock } from "../../../tests/support/clock.ts";
import * as line from "../../../tests/support/line.ts";
import { openProxy } from "../proxy.mjs";

interface Accepted {
  task_id: string;
  duplicate: boolean;
}

export const tally = (statuses: number[]): string => {
  const counts = new Map<number, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b).map(([status, n]) => `${n}×${status}`).join(" ");
};

const copies: Row = {
  id: 1,
  fault: "one webhook, a thousand times at once",
  promise: "one task, the same answer for every caller",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const found = new Findings();
    const n = scene.times(1000);
    const body = alertBody({ time: "row 1" });
    const answers = await inParallel(n, 200, async (i) => {
      scene.history.add("invoke", `caller-${i}`, "accept", "row 1");
      const response = await stack.alert(body);
      const answer: Accepted = await response.json();
      scene.history.add("ok", `caller-${i}`, "accept", "row 1", answer.task_id);
      return { ...answer, status: response.status };
    });
    const ids = new Set(answers.map(({ task_id }) => task_id));
    found.must(ids.size === 1, `${ids.size} tasks were named`);
    found.must(
      answers.every(({ status }) => status === 200 || status === 202),
      `somebody was turned away: ${tally(answers.map(({ status }) => status))}`,
    );
    const tasks = await stack.database.count("public.tasks");
    found.must(tasks === 1, `${tasks} tasks were made`);
    for (const id of ids) scene.history.add("ok", "reader", "found", "row 1", id);
    stack.database.acknowledged.push(...ids);
    const receipts = await stack.database.count("public.event_receipts");
    found.counted(receipts, "deliveries on record");
    found.must(receipts === n, `${receipts} receipts for ${n} deliveries`);
    found.saw(`1 task; ${tally(answers.map(({ status }) => status))}`);
    return found.outcome(`${n} copies, 200 at once`);
  },
};

const otherBody: Row = {
  id: 2,
  fault: "one event id, another body",
  promise: "never merged: a task of its own, marked id_reused; the first is untouched",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const found = new Findings();
    const first: Accepted = await (await stack.task(reading("one id"))).json();
    const response = await stack.task(reading("one id", { goal: "Read one id!" }));
    const second: Accepted = await response.json();
    const again: Accepted = await (await stack.task(reading("one id"))).json();
    const rows = await stack.database.owner<{ task_id: string; id_reused: boolean; goal: string }>(
      "select task_id, id_reused, goal from public.tasks order by created_at",
    );
    found.must(second.task_id !== first.task_id && !second.duplicate, "another body was merged");
    found.must(
      rows.length === 2 && rows[1].id_reused && !rows[0].id_reused,
      "the second is not marked id_reused",
    );
    found.must(rows[0].goal === "Read one id", "the first was changed");
    found.must(again.task_id === first.task_id, "the repeat is not the first");
    const sent = await stack.database.count(
      "public.event_receipts where source_event_id = 'one id'",
    );
    found.counted(sent, "deliveries under one id");
    stack.database.acknowledged.push(first.task_id, second.task_id);
    found.saw(`${response.status}, id_reused; the exact repeat names the first task`);
    return found.outcome("one byte more under the same id, then the first again");
  },
};

const answerLost: Row = {
  id: 3,
  fault: "the answer is lost after the commit, the sender repeats",
  promise: "the repeat gets the stored answer",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const found = new Findings();
    const proxy = await openProxy({ host: "127.0.0.1", port: stack.port });
    scene.onRowEnd(() => proxy.close());
    const n = scene.times(20);
    for (let i = 0; i < n; i++) {
      const mark = `bar-${i}-of-row-3`;
      const body = alertBody({ time: mark });
      proxy.set("cut-after", { match: mark, times: 1 });
      scene.history.add("invoke", "sender", "accept", mark);
      const lost = await fetch(
        `http://127.0.0.1:${proxy.port}/functions/v1/intake/tradingview/desk-token-0123456789`,
        {
          method: "POST",
          body,
        },
      ).then((response) => response.text(), () => null);
      found.must(lost === null, "the answer arrived all the same");
      scene.history.add("info", "sender", "accept", mark);
      const response = await stack.alert(body);
      const answer: Accepted = await response.json();
      scene.history.add("ok", "sender", "accept", mark, answer.task_id);
      found.must(response.status === 200 && answer.duplicate, `the repeat got ${response.status}`);
      stack.database.acknowledged.push(answer.task_id);
    }
    for (
      const { mark } of await stack.database.owner<{ mark: string }>(
        "select body as mark from public.event_receipts where outcome = 'accepted'",
      )
    ) scene.history.add("ok", "reader", "found", /bar-\d+-of-row-3/.exec(mark)?.[0] ?? mark);
    found.counted(proxy.counts.cuts, "answers cut by the proxy");
    found.saw(`${n} repeats named the stored task`);
    return found.outcome(`${n} answers dropped between commit and sender`);
  },
};

const afterWindow: Row = {
  id: 4,
  fault: "a key is used again after its window",
  promise: "merged inside the window, a new task outside, marked id_reused",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const clock = await freezeClock(db, "2027-03-01T10:00:00Z");
    const cases: [string, Record<string, unknown>, number][] = [
      ["an alert with an id", { source_event_id: "id-1" }, 86_400],
      ["an alert without one", {}, 60],
    ];
    for (const [what, more, seconds] of cases) {
      const event = line.alertEvent(`BUY ${what}`, more);
      const first = await line.accept(db, event);
      await clock.advance(seconds - 1);
      const inside = await line.accept(db, event);
      await clock.advance(2);
      const outside = await line.accept(db, event);
      found.must(
        inside.task_id === first.task_id,
        `${what}: a repeat inside the window became a task`,
      );
      found.must(
        outside.task_id !== first.task_id,
        `${what}: a repeat outside the window was swallowed`,
      );
      found.must(
        outside.id_reused === ("source_event_id" in more),
        `${what}: id_reused is ${outside.id_reused}`,
      );
      found.proof(`clock moved ${seconds - 1} s and ${seconds + 1} s after ${what}`);
    }
    found.saw("inside merged, outside a new task");
    return found.outcome("the database's clock moved over both windows");
  },
};

const burst: Row = {
  id: 12,
  fault: "ten times the allowed rate",
  promise: "202 or 429 by policy; all that was accepted is there; no 5xx",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const found = new Findings();
    // The door's bucket holds 2,000 and refills with 6,000 a minute; ten times that for a few seconds.
    await stack.database.owner(
      `update public.policies set body = jsonb_set(jsonb_set(body, '{rate_limits,intake_burst}', '200'), '{rate_limits,intake_per_minute}', '600')
       where status = 'active'`,
    );
    const n = scene.times(1200);
    const statuses = await inParallel(n, 100, async (i) => {
      const mark = `burst ${i}`;
      scene.history.add("invoke", `caller-${i}`, "accept", mark);
      const response = await stack.alert(alertBody({ time: mark }));
      const answer: Partial<Accepted> = await response.json();
      scene.history.add(response.ok ? "ok" : "fail", `caller-${i}`, "accept", mark, answer.task_id);
      if (answer.task_id) stack.database.acknowledged.push(answer.task_id);
      return response.status;
    });
    const accepted = statuses.filter((status) => status === 202).length;
    found.must(
      statuses.every((status) => status === 202 || status === 429),
      `answers: ${tally(statuses)}`,
    );
    const tasks = await stack.database.owner<{ body: string }>(
      "select body from public.event_receipts where outcome = 'accepted'",
    );
    found.must(tasks.length === accepted, `${accepted} accepted, ${tasks.length} tasks`);
    for (const { body } of tasks) {
      scene.history.add("ok", "reader", "found", /burst \d+/.exec(body)?.[0] ?? body);
    }
    found.must(accepted >= 200, `${accepted} accepted, the bucket holds 200`);
    found.counted(statuses.filter((status) => status === 429).length, "turned away with 429");
    found.saw(`${tally(statuses)}; ${tasks.length} tasks`);
    return found.outcome(`${n} alerts as fast as they go, a bucket of 200`);
  },
};

export const door = [copies, otherBody, answerLost, afterWindow, burst];
