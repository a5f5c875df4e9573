import type { Act, Arrival, Errand, Otp } from "./act.ts";
import type { Dice } from "./dice.ts";

/**
 * Runs of acts that only make sense together and that chance alone would rarely bring about. They are strewn among the
 * others in their order, so that anything may come between.
 */
export function campaignOf(dice: Dice, errands: Errand[], arrival: () => Arrival): Act[] {
  const say = (who: string, errand: number, otp: Otp): Act => ({
    do: "say",
    who,
    words: { say: "approve", errand, spelling: "code", decision: "approve", reason: "", otp },
    guise: "plain",
    arrival: arrival(),
  });
  const tap = (who: string, errand: number): Act => ({
    do: "tap",
    who,
    errand,
    decision: "approve",
    guise: "plain",
    arrival: arrival(),
  });
  const operator = dice.pick(["olga", "pavel", "tom"]);
  const owner = dice.pick(["oskar", "tom-owner"]);
  const trade = errands.findIndex(({ kind }) => kind === "trade");
  const signal = errands.findIndex(({ kind }) => kind === "signal");
  const errand = Math.max(trade, 0);
  switch (dice.below(7)) {
    case 0:
      return dice.shuffled([say(operator, errand, "right"), say(owner, errand, "right")]);
    // Said, taken back, said again by another.
    case 1:
      return [
        say(operator, errand, "right"),
        { ...tap(operator, errand), decision: "reject" } as Act,
        say(owner, errand, "right"),
      ];
    // Who guesses is locked out, right code or not.
    case 2:
      return [
        ...Array.from({ length: 5 }, () => say(operator, errand, dice.pick(["wrong", "too old"]))),
        say(operator, errand, "right"),
        say(owner, errand, "right"),
      ];
    // Approved by somebody who is gone before it is carried out.
    case 3:
      return [
        { do: "deliver", crash: null },
        tap(operator, Math.max(signal, 0)),
        dice.chance(0.5)
          ? { do: "remove", who: operator }
          : { do: "turn", who: operator, role: "reviewer" },
        { do: "publish" },
        tap(operator === "pavel" ? "olga" : "pavel", Math.max(signal, 0)),
      ];
    // One yes whose giver is gone, then the other's.
    case 4:
      return [
        say(operator, errand, "right"),
        { do: "remove", who: operator },
        { do: "rejoin", who: operator },
        say(owner, errand, "right"),
        say(operator, errand, "right"),
      ];
    case 5:
      return [
        { do: "deliver", crash: null },
        tap(operator, Math.max(signal, 0)),
        say(operator, Math.max(signal, 0), "none"),
        { do: "publish" },
        { ...tap(operator, Math.max(signal, 0)), decision: "reject" } as Act,
      ];
    default:
      return [];
  }
}

/** Puts the acts of a campaign among others, at any places, in their order. */
export function strewn(dice: Dice, others: Act[], campaign: Act[]): Act[] {
  const places = campaign.map(() => dice.below(others.length + 1)).sort((a, b) => a - b);
  const acts = [...others];
  for (const [at, act] of campaign.entries()) acts.splice(places[at] + at, 0, act);
  return acts;
}
