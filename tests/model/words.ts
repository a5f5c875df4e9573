import type { Command, Story } from "./commands.ts";
import type { Divergence } from "./running.ts";
import { people, policies } from "./house.ts";

/** A counterexample as a person would tell it. */

const name = (who: number): string => people[who]?.name ?? "a stranger";
const unusual = (command: Record<string, unknown>): string => {
  const said = [
    command.sign !== undefined && command.sign !== "right" && `signature: ${command.sign}`,
    command.do !== "fail" && command.code !== undefined && command.code !== "right" &&
    `code: ${command.code}`,
    command.ownChat === false && "in a group",
    command.simulated === true && "simulated",
    command.bundle === "other" && "by a bundle that is not the active one",
    command.later === true && "held back",
    command.lease === "older" && "under an older lease",
    command.payload === "other" && "with another payload",
    command.rehearsed === false && "rehearsing other bytes",
    command.marks !== undefined && command.marks !== 0 && `marks ${command.marks}`,
  ].filter(Boolean);
  return said.length > 0 ? ` (${said.join(", ")})` : "";
};

function sentence(command: Command): string {
  switch (command.do) {
    case "answer":
      return `${name(command.who)} answers ${command.decision} to the ${command.target} request`;
    case "say":
      return `${name(command.who)} says ${Object.values(command.what).join(" ")}`;
    case "deliver":
      return `the message ${command.which} before the last arrives (again)`;
    case "rework":
      return `the line is worked to its gate, wording ${command.text}`;
    case "complete":
      return `the first running step of the line is completed, wording ${command.text}`;
    case "claim":
      return `a worker claims the ${command.what}`;
    case "fail":
      return `the worker of the ${command.what} gives up: ${command.code}`;
    case "reserve":
      return `the effect is reserved ${command.inside ? "inside" : "outside"} the house`;
    case "confirm":
      return `the outcome is ${command.seen}`;
    case "settle":
      return `somebody settles it as ${command.done ? "done" : "not done"}`;
    case "wait":
      return `${command.seconds} seconds pass`;
    case "tamper":
      return `the owner of the tables changes: ${command.what}`;
    case "limit":
      return `the account may hold ${command.positions} positions`;
    case "policy":
      return `the policy becomes "${policies[command.which].label}"`;
    case "remove":
    case "enrol":
      return `${name(command.who)}: ${command.do}`;
    case "add":
    case "demote":
      return `${name(command.who)}: ${command.do}, as ${command.role}`;
    case "stop":
    case "lose stop":
      return `${command.do} ${command.scope}`;
    case "trespass":
      return "roles try what no role may";
    default:
      return command.do;
  }
}

export function told(
  { kind, requester, from, t3 }: Story,
  { commands, found }: Divergence,
): string {
  const who = requester === null
    ? "a machine"
    : people.find(({ person }) => person === requester)!.name;
  return [
    `  a ${kind} asked for by ${who}, ${from === "gate" ? "at its gate" : "just accepted"}, T3 ${
      t3 ? "on" : "off"
    }`,
    ...commands.map((command, i) => `  ${i + 1}. ${sentence(command)}${unusual(command as never)}`),
    ...found.map((line) => `     ${line}`),
  ].join("\n");
}
