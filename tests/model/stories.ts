import fc from "fast-check";
import type { Command, Manner, Said, Story } from "./commands.ts";
import type { Seen } from "./effects.ts";
import { marks, people, policies } from "./house.ts";
import { tamperings } from "./tampering.ts";
import type { Decision, Role, Scope } from "./world.ts";

/** Stories made up by fast-check: what may happen, in any order, with ways on between so that they get somewhere. */
const mostly = <T>(usual: T, ...rare: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, {
    weight: rare.length,
    arbitrary: fc.constantFrom(...rare),
  });
const bundle = mostly<"active" | "other">("active", "other");
const scope = fc.constantFrom<Scope[]>("all", "t3");
const role = fc.constantFrom<Role[]>("owner", "operator", "reviewer");
const decision = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Decision>("approve") },
  { weight: 1, arbitrary: fc.constant<Decision>("reject") },
);
/** Olga and Oskar can carry every tier between them, so they speak most. */
const who = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1) },
  { weight: 5, arbitrary: fc.integer({ min: 2, max: people.length }) },
);
const member = fc.integer({ min: 0, max: people.length - 1 });
const manner = {
  code: mostly<Manner["code"]>("right", "next", "wrong", "none"),
  ownChat: mostly(true, false),
  simulated: mostly(false, true),
  bundle,
};
const work = {
  text: fc.integer({ min: 0, max: 1 }),
  marks: mostly(0, ...marks.keys()),
  rehearsed: mostly(true, false),
};
const lease = mostly<"newest" | "older">("newest", "older");
const what = fc.constantFrom<("line" | "effect")[]>("effect", "effect", "line");

const record = <K extends Command["do"]>(name: K, fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ do: fc.constant(name), ...fields }) as unknown as fc.Arbitrary<Command>;

const said: fc.Arbitrary<Said> = fc.oneof(
  fc.record({ type: fc.constant("stop" as const), scope }),
  fc.record({ type: fc.constant("resume" as const), scope }),
  fc.record({ type: fc.constant("glass" as const) }),
  fc.record({ type: fc.constant("confirm" as const), decision, older: mostly(false, true) }),
  fc.record({ type: fc.constant("t3" as const), on: mostly(true, false) }),
  fc.record({ type: fc.constant("resolve" as const), done: fc.boolean() }),
);

const trespass = record("trespass", {
  picks: fc.array(fc.nat(1_000_000), { minLength: 8, maxLength: 8, size: "max" }),
});

const weighted: [number, fc.Arbitrary<Command>][] = [
  [
    30,
    record("answer", {
      who,
      target: mostly<string>("newest", "oldest", "task", "unknown"),
      decision,
      sign: mostly<string>("right", "none", "late", "another digest", "unknown key"),
      later: mostly(false, true),
      ...manner,
    }),
  ],
  [3, record("deliver", { which: fc.nat(9) })],
  [5, record("rework", work)],
  [4, record("complete", work)],
  [17, record("claim", { what })],
  [
    3,
    record("fail", {
      what,
      code: fc.constantFrom(
        "unavailable",
        "unavailable",
        "stopped",
        "insufficient_data",
        "least_privilege",
      ),
    }),
  ],
  [5, record("replan", {})],
  [
    15,
    record("reserve", {
      lease,
      payload: mostly("approved", "other"),
      inside: fc.boolean(),
      bundle,
    }),
  ],
  [9, record("start", { lease })],
  [
    8,
    record("confirm", {
      lease,
      seen: fc.constantFrom<Seen[]>("confirmed", "confirmed", "not_sent", "unknown", "failed"),
    }),
  ],
  [2, record("settle", { done: fc.boolean() })],
  [7, record("wait", { seconds: fc.constantFrom(1, 3, 6, 6, 30, 31, 31, 61, 299, 901, 3601) })],
  [3, record("sweep", {})],
  [3, record("crash", {})],
  [7, record("tamper", { what: fc.constantFrom(...tamperings) })],
  [2, record("limit", { positions: fc.integer({ min: 1, max: 3 }) })],
  [4, record("policy", { which: fc.integer({ min: 0, max: policies.length - 1 }) })],
  [2, record("remove", { who: member })],
  [2, record("add", { who: member, role })],
  [2, record("demote", { who: member, role })],
  [1, record("enrol", { who: member })],
  [2, record("stop", { scope })],
  [1, record("lose stop", { scope })],
  [1, record("t3 off", {})],
  [16, record("say", { who, what: said, ...manner })],
  [2, trespass],
];

/** The way on, so that stories get somewhere; what else happens comes between. */
const usual = {
  target: "newest",
  sign: "right",
  later: false,
  code: "right",
  ownChat: true,
  simulated: false,
  bundle: "active",
};
const yes = (who: number) => ({ do: "answer", who, decision: "approve", ...usual } as Command);
const claimed: Command = { do: "claim", what: "effect" };
const reserved = (inside: boolean): Command => ({
  do: "reserve",
  lease: "newest",
  payload: "approved",
  inside,
  bundle: "active",
});
const older: Command = { ...reserved(true), lease: "older" } as Command;
const sent: Command = { do: "start", lease: "newest" };
export const theWholeWay = [yes(0), yes(1), claimed, reserved(false), sent];
const saying = (
  who: number,
  what: Said,
) => ({ do: "say", who, what, ...usual } as unknown as Command);
const stopped: Command = { do: "stop", scope: "all" };
const confirmed = saying(1, { type: "confirm", decision: "approve", older: false });
const seen = fc.constantFrom<Seen[]>("confirmed", "failed", "not_sent", "unknown", "unknown");
const ways = fc.oneof(
  {
    weight: 4,
    arbitrary: seen.map((what) => [
      ...theWholeWay,
      { do: "confirm", lease: "newest", seen: what },
      { do: "claim", what: "line" },
    ]),
  },
  {
    weight: 2,
    arbitrary: fc.boolean().map((done) => [
      ...theWholeWay,
      { do: "confirm", lease: "newest", seen: "unknown" },
      saying(0, { type: "resolve", done }),
      { do: "rework", text: 0, marks: 0, rehearsed: true },
    ]),
  },
  { weight: 4, arbitrary: fc.constant([yes(0), yes(1)]) },
  { weight: 2, arbitrary: fc.constant([yes(1), yes(0), claimed]) },
  {
    weight: 4,
    arbitrary: fc.boolean().map((inside) => [yes(0), yes(1), claimed, reserved(inside)]),
  },
  { weight: 3, arbitrary: fc.boolean().map((inside) => [claimed, reserved(inside)]) },
  { weight: 3, arbitrary: fc.constant([claimed, reserved(false), sent]) },
  { weight: 2, arbitrary: fc.constant([yes(0), yes(1), claimed, reserved(false), sent]) },
  { weight: 1, arbitrary: fc.constant([reserved(false), sent]) },
  { weight: 1, arbitrary: fc.constant([saying(0, { type: "glass" }), confirmed]) },
  { weight: 1, arbitrary: fc.constant([stopped, saying(0, { type: "glass" }), confirmed]) },
  { weight: 1, arbitrary: fc.constant([saying(0, { type: "resume", scope: "all" }), confirmed]) },
  { weight: 1, arbitrary: fc.constant([saying(1, { type: "t3", on: true })]) },
  {
    weight: 1,
    arbitrary: fc.constant([stopped, saying(1, { type: "resume", scope: "all" }), confirmed]),
  },
  {
    weight: 1,
    arbitrary: fc.constant([
      claimed,
      reserved(false),
      stopped,
      saying(0, { type: "glass" }),
      confirmed,
      sent,
    ]),
  },
  { weight: 1, arbitrary: fc.constant([yes(3), yes(4)]) },
  { weight: 1, arbitrary: fc.constant([claimed, { do: "crash" }, claimed, older]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(901, 3601).map((
      seconds,
    ) => [yes(0), yes(1), claimed, { do: "wait", seconds }, reserved(true)]),
  },
);

export const stories = (maxCommands: number): fc.Arbitrary<Story> =>
  fc.noBias(fc.record({
    kind: fc.constantFrom<Story["kind"][]>("signal", "trade"),
    // In every story, somewhere, every role tries its luck.
    tries: trespass,
    at: fc.nat(1_000_000),
    requester: fc.constantFrom<(number | null)[]>(null, null, 4, 1),
    from: mostly<Story["from"]>("gate", "door"),
    t3: mostly(true, ...Array<boolean>(5).fill(false)),
    commands: fc.array(
      fc.oneof(
        { weight: 100, arbitrary: ways },
        ...weighted.map(([weight, arbitrary]) => ({
          weight,
          arbitrary: arbitrary.map((one) => [one]),
        })),
      ),
      { minLength: 1, maxLength: Math.ceil(maxCommands * 0.6), size: "max" },
    ).map((parts) => (parts as Command[][]).flat().slice(0, Math.max(1, maxCommands - 1))),
  })).map(({ tries, at, ...story }) => ({
    ...story,
    commands: story.commands.toSpliced(at % (story.commands.length + 1), 0, tries),
  }));
