import { describe, expect, it } from "vitest";
import { consoleChannel } from "../../../functions/_channels/console.ts";
import { type CommunicatorDeps, handle } from "../../../functions/communicator/handler.ts";
import { noDoor } from "../../support/outside.ts";
import { outbox, publishStep } from "./outbox.ts";

const service_token = "service-token";
const deps = (
  box: ReturnType<typeof outbox>,
  more: Partial<CommunicatorDeps> = {},
): CommunicatorDeps => ({
  ...noDoor,
  bundle: () => Promise.resolve(null),
  database: box.database,
  channels: { telegram: null, console: consoleChannel(() => {}) },
  chat_id: null,
  worker: "communicator-1",
  now: () => new Date(),
  policy_sha256: "ab".repeat(32),
  service_token,
  ...more,
});
const request = (
  path = "/functions/v1/communicator/tick",
  token = service_token,
  method = "POST",
) =>
  new Request(`http://localhost${path}`, { method, headers: { authorization: `Bearer ${token}` } });
const reply = (id: string) => ({
  notification_id: id,
  kind: "reply",
  recipient: "5",
  payload: { reply: "help" },
  attempt: 1,
  edit_message_id: null,
});

describe("the communicator's tick", () => {
  it("refuses a wrong token, another method and another path, and claims nothing", async () => {
    const box = outbox();
    expect((await handle(request(undefined, "guess"), deps(box))).status).toBe(401);
    expect((await handle(request(undefined, undefined, "GET"), deps(box))).status).toBe(405);
    expect((await handle(request("/functions/v1/communicator"), deps(box))).status).toBe(404);
    expect(box.calls).toEqual([]);
  });

  it("does nothing, twice, when there is nothing to do", async () => {
    const box = outbox();
    for (let time = 0; time < 2; time++) {
      expect(await (await handle(request(), deps(box))).json()).toEqual({
        notifications: 0,
        effects: 0,
      });
    }
  });

  it("drains the outbox beyond one batch and counts what it did", async () => {
    const box = outbox();
    for (let i = 0; i < 23; i++) box.notifications.push(reply(String(i)));
    for (let i = 0; i < 6; i++) box.steps.push(publishStep({ step_id: `s-${i}` }));
    const response = await handle(request("/communicator/tick"), deps(box));
    expect(await response.json()).toEqual({ notifications: 23, effects: 6 });
    expect(box.told("complete_notifications")).toHaveLength(23);
    expect(box.told("confirm_effect")).toHaveLength(6);
  });

  it.each([["told", 100, 1], ["published", 1, 100]])(
    "lets neither wait behind the other: with a hundred to be %s, what else there is goes out",
    async (_, replies, posts) => {
      const box = outbox({ return_steps: () => [] });
      for (let i = 0; i < replies; i++) box.notifications.push(reply(String(i)));
      for (let i = 0; i < posts; i++) box.steps.push(publishStep({ step_id: `s-${i}` }));
      let clock = 0;
      // A receiver that takes its time.
      const slow = consoleChannel(() => void (clock += 300));
      await handle(
        request(),
        deps(box, {
          budget_ms: 1_000,
          now: () => new Date(clock),
          channels: { telegram: null, console: slow },
        }),
      );
      const told = box.told("complete_notifications").filter(({ p_results }) =>
        JSON.stringify(p_results).includes('"sent"')
      );
      expect(told.length).toBeGreaterThan(0);
      expect(box.told("confirm_effect").length).toBeGreaterThan(0);
    },
  );

  it("stops when its time is used up", async () => {
    const box = outbox();
    for (let i = 0; i < 100; i++) box.notifications.push(reply(String(i)));
    let clock = 0;
    const response = await handle(
      request(),
      deps(box, { budget_ms: 5, now: () => new Date(clock++) }),
    );
    const { notifications, effects } = await response.json();
    expect(notifications).toBeLessThan(20);
    expect(effects).toBe(0);
  });
});
