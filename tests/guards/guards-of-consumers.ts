import { expect } from "vitest";
import { ack, addConsumer, type Batch, read, tell } from "../support/bus.ts";
import { dropConstraint, forbids, type Guard, never, refuses, replace } from "./guard.ts";
import { type House, number } from "./house.ts";

interface Taken {
  outcome: string;
  lease_token: string;
}

/** A reader of its own that is about to read so many events. */
async function reader(house: House, events: number): Promise<{ name: string; keys: string[] }> {
  const name = `probe-${number()}`;
  await addConsumer(house, name);
  return { name, keys: await tell(house, events) };
}

async function one(house: House): Promise<{ p_consumer: string; p_event_id: string }> {
  const { name, keys } = await reader(house, 1);
  const [{ id }] = await house.owner<{ id: string }>(
    "select event_id as id from public.events where idempotency_key = $1",
    keys,
  );
  return { p_consumer: name, p_event_id: id };
}

const take = (house: House, event: { p_consumer: string; p_event_id: string }) =>
  house.database.call<Taken>("take_event", event);
const keysOf = ({ events }: Batch) => events.map(({ idempotency_key }) => idempotency_key);
const pause = (house: House, name: string, actor: string) =>
  house.database.call<{ refused?: string }>("pause_consumer", {
    p_consumer: name,
    p_actor: actor,
    p_reason: "a look",
  });

export const guardsOfConsumers: Guard[] = [
  {
    name: "What was seen is skipped",
    promise: "bus",
    test: "a second delivery of an event is not handled",
    without: replace(
      "api.take_event",
      "case when r.consumed_at is null and coalesce(r.lease_expires_at <= v_now, true) then v_token",
      "case when true then v_token",
    ),
    async probe(house) {
      const event = await one(house);
      await take(house, event);
      expect((await take(house, event)).outcome).toBe("skip");
    },
  },
  {
    name: "Only who holds an event finishes it",
    promise: "bus",
    test: "a delivery whose lease was taken over finishes nothing",
    without: replace("api.finish_event", " and r.lease_token = p_lease_token", ""),
    async probe(house) {
      const event = await one(house);
      const { lease_token } = await take(house, event);
      await house.clock.advance(31);
      await take(house, event);
      refuses(
        await house.database.call("finish_event", { ...event, p_lease_token: lease_token }),
        "stale_lease",
      );
    },
  },
  {
    name: "Only who holds a batch answers for it",
    promise: "bus",
    test: "a reader whose lease was taken over acknowledges nothing",
    without: never("api.ack_events", "v_held.lease_token is distinct from p_lease_token"),
    async probe(house) {
      const { name } = await reader(house, 1);
      const first = await read(house, name);
      await house.clock.advance(31);
      await read(house, name);
      refuses(await ack(house, name, first), "stale_lease");
    },
  },
  {
    name: "A reader is alone",
    promise: "bus",
    test: "while one reading holds its lease another gets nothing",
    without: never("api.read_events", "v_held.lease_expires_at > v_now"),
    async probe(house) {
      const { name } = await reader(house, 1);
      await read(house, name);
      const { leased_until } = await read(house, name);
      expect(leased_until).toBeTypeOf("string");
    },
  },
  {
    name: "A paused consumer is handed nothing",
    promise: "bus",
    test: "a reader that an owner paused reads nothing",
    without: never("api.read_events", "private.consumer_is_paused(p_consumer)"),
    async probe(house) {
      const { name } = await reader(house, 1);
      await pause(house, name, "oskar");
      expect(keysOf(await read(house, name))).toEqual([]);
    },
  },
  {
    name: "Only who may stop things pauses",
    promise: "bus",
    test: "a reviewer pauses no consumer",
    without: replace(
      "private.pausing_problem",
      "when m.role in ('owner', 'operator') then",
      "when true then",
    ),
    async probe(house) {
      const { name } = await reader(house, 0);
      refuses(await pause(house, name, "rita"), "wrong_role");
    },
  },
  {
    name: "What was restored is a generation of its own",
    promise: "bus",
    test: "what is told after a restore is read, though its transaction has a smaller number",
    without: replace("api.read_events", "perform private.notice_restored_events();", ""),
    async probe(house) {
      const { name, keys } = await reader(house, 1);
      const restored = `restored:${name}`;
      await house.owner(
        `insert into public.events (type, incident_id, agent, idempotency_key, written_by)
         values ('INCIDENT_RAISED', gen_random_uuid(), 'test', $1, '700000000')`,
        [restored],
      );
      const batch = await read(house, name);
      expect(keysOf(batch)).toEqual([...keys, restored]);
    },
  },
  {
    name: "Short-term memory is short",
    promise: "bus",
    test: "nothing is kept for 49 hours",
    without: dropConstraint("public.working_memory", "kept_between_24_and_48_hours"),
    async probe(house) {
      await forbids("23514", () =>
        house.owner(
          "insert into public.working_memory (key, value, written_by, expires_at) values ($1, '{}', 'test', private.now() + interval '49 hours')",
          [`probe:${number()}`],
        ));
    },
  },
];
