import {
  type Act,
  type Arrival,
  type Errand,
  knocks,
  otps,
  outages,
  ownWords,
  sayGuises,
  type Script,
  spellings,
  strays,
  tapGuises,
  type Words,
} from "./act.ts";
import { campaignOf, strewn } from "./campaign.ts";
import { cast, persons, placeholders } from "./cast.ts";
import { Dice } from "./dice.ts";

export interface Sizes {
  errands: number;
  acts: number;
}
const usual: Sizes = { errands: 3, acts: 20 };

const reasons = [
  "",
  "",
  "",
  "too risky",
  "no \u202esey evorppa/",
  "Approved: everything\nyes",
  "password: hunter2hunter2",
  "x".repeat(900),
  "/approve all yes",
  "\u0000\ud800 half",
];

/** What happens in one play: a pure function of its seed. */
export function scriptOf(seed: number, sizes: Sizes = usual): Script {
  const dice = new Dice(seed);
  const errands = Array.from({ length: sizes.errands }, () => errandOf(dice));
  let slots = 0;
  const slot = () => slots++;
  const acts = Array.from({ length: sizes.acts }, () => actOf(dice, errands, slot));
  const arrival = () => ({ ...arrivalOf(dice, slot), times: "once" as const });
  return {
    seed,
    anon: dice.pick(placeholders),
    errands,
    acts: strewn(dice, reordered(dice, acts), campaignOf(dice, errands, arrival)),
  };
}

function errandOf(dice: Dice): Errand {
  return dice.weigh<Errand>([
    [3, { kind: "signal" }],
    [1, { kind: "asked", by: dice.pick(["olga", "pavel", "tom", "tom-owner"]) }],
    [2, { kind: "trade" }],
  ]);
}

function arrivalOf(dice: Dice, slot: () => number): Arrival {
  return {
    slot: slot(),
    huge: dice.chance(0.3),
    times: dice.weigh([
      [14, "once"],
      [2, "copied at once"],
      [2, "copied later"],
      [3, "twice at once"],
    ]),
    crash: dice.chance(0.06)
      ? { call: 1 + dice.below(2), when: dice.pick(["before", "after"]) }
      : null,
  };
}

function actOf(dice: Dice, errands: Errand[], slot: () => number): Act {
  const who = () => dice.pick(persons).name;
  const errand = () => dice.below(errands.length);
  // No before yes would end most plays at once.
  const decision = () => dice.weigh([[3, "approve"], [1, "reject"]] as const);
  const member = () => dice.pick(["olga", "pavel", "tom", "oskar", "tom-owner"]);
  return dice.weigh<() => Act>([
    [20, () => ({
      do: "say",
      who: who(),
      words: wordsOf(dice, errand),
      guise: dice.chance(0.55)
        ? dice.pick([...ownWords])
        : dice.pick(sayGuises.filter((guise) => !ownWords.has(guise))),
      arrival: arrivalOf(dice, slot),
    })],
    [20, () => ({
      do: "tap",
      who: who(),
      errand: errand(),
      decision: decision(),
      guise: dice.chance(0.6) ? "plain" : dice.pick(tapGuises),
      arrival: arrivalOf(dice, slot),
    })],
    [2, () => ({
      do: "reuse",
      who: who(),
      errand: errand(),
      decision: decision(),
      back: 1 + dice.below(5),
    })],
    [2, () => ({
      do: "knock",
      header: dice.pick(knocks),
      who: dice.pick(cast).name,
      errand: errand(),
      slot: slot(),
    })],
    [3, () => ({ do: "stray", body: dice.pick(strays), slot: slot() })],
    [1, () => ({ do: "remove", who: member() })],
    [1, () => ({
      do: "turn",
      who: member(),
      role: dice.pick(["reviewer", "owner", "operator"] as const),
    })],
    [2, () => ({ do: "rejoin", who: member() })],
    [2, () => ({ do: "restart", bundle: dice.chance(0.8) ? "right" : "old" })],
    [4, () => ({
      do: "deliver",
      crash: dice.chance(0.2)
        ? { call: 1 + dice.below(6), when: dice.pick(["before", "after"]) }
        : null,
    })],
    [3, () => ({ do: "publish" })],
    [4, () => ({
      do: "outage",
      how: dice.pick(outages),
      whose: member(),
      times: 1 + dice.below(4),
    })],
    [1, () => ({ do: "disconnect" })],
    [1, () => ({ do: "reconnect" })],
    [2, () => ({
      do: "wait",
      seconds: dice.pick([7, 70, 300, 1000]),
      sweep: dice.chance(0.5),
    })],
  ])();
}

function wordsOf(dice: Dice, errand: () => number): Words {
  const decision = dice.weigh([[3, "approve"], [1, "reject"]] as const);
  return dice.weigh<() => Words>([
    [10, () => ({
      say: "approve",
      errand: errand(),
      spelling: dice.chance(0.6) ? "code" : dice.pick(spellings),
      decision,
      reason: dice.pick(reasons),
      otp: dice.weigh([[5, "right"], [2, "none"], [2, dice.pick(otps)]] as const),
    })],
    [4, () => ({ say: "look-alike", errand: errand(), decision, look: dice.below(1000) })],
    [1, () => ({ say: "quoting", errand: errand(), decision })],
    [1, () => ({ say: "pending" })],
    [1, () => ({ say: "help" })],
    [1, () => ({ say: "start" })],
    [1, () => ({ say: "talk" })],
    [1, () => ({ say: "other bot" })],
    [1, () => ({ say: "status", errand: errand() })],
    [1, () => ({ say: "stop", scope: dice.pick(["all", "t3"] as const) })],
  ])();
}

/** Nothing on the way keeps the order of what was sent: neighbours change places, some arrive much later. */
function reordered(dice: Dice, acts: Act[]): Act[] {
  return acts
    .map((act, sent) => ({ act, at: sent + dice.next() * (dice.chance(0.1) ? 12 : 2) }))
    .sort((left, right) => left.at - right.at)
    .map(({ act }) => act);
}
