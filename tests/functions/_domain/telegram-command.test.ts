import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { readCommand } from "../../../functions/_domain/telegram-command.ts";

const ours = "dynamic_ags_bot";
const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength, maxLength });
const code = fc.oneof(
  fc.tuple(fc.constantFrom("0", "1", "2", "3"), digits(8, 8), digits(4, 9)).map(([tier, day, n]) =>
    `T${tier}-${day}-${n}`
  ),
  fc.tuple(digits(4, 4), digits(2, 2), digits(2, 2), digits(4, 9)).map((parts) =>
    `T-${parts.join("-")}`
  ),
);
const spaces = fc.integer({ min: 1, max: 3 }).map((count) => " ".repeat(count));
const reason = fc.string({ unit: fc.constantFrom(..."abc xyz,.!?"), maxLength: 60 });

/** A second reading of the grammar, by hand and without regular expressions: what may count as a decision. */
function isDecision(text: string): boolean {
  const prefix = ["/approve ", `/approve@${ours} `].find((start) => text.startsWith(start));
  if (!prefix) return false;
  const words = text.slice(prefix.length).replace(/^ +/, "");
  const end = words.indexOf(" ");
  if (end < 0) return false;
  const subject = words.slice(0, end).split("-");
  const isDigits = (part: string | undefined, least: number, most: number) =>
    part !== undefined && part.length >= least && part.length <= most &&
    [...part].every((letter) => letter >= "0" && letter <= "9");
  const isCode = subject.length === 3
    ? ["T0", "T1", "T2", "T3"].includes(subject[0]) && isDigits(subject[1], 8, 8) &&
      isDigits(subject[2], 4, 9)
    : subject.length === 5 && subject[0] === "T" && isDigits(subject[1], 4, 4) &&
      isDigits(subject[2], 2, 2) &&
      isDigits(subject[3], 2, 2) && isDigits(subject[4], 4, 9);
  const rest = words.slice(end).replace(/^ +/, "");
  const answer = ["yes", "no"].find((word) =>
    rest === word || rest.startsWith(`${word} `) || rest.startsWith(`${word}\n`)
  );
  return isCode && answer !== undefined;
}

describe("the command grammar", () => {
  it("gives usage for anything that only resembles a decision", () => {
    const near = [
      "approve T2-20250928-0012 yes",
      " /approve T2-20250928-0012 yes",
      "/approve  T2-20250928-012 yes",
      "/approve T4-20250928-0012 yes",
      "/approve t2-20250928-0012 yes",
      "/approve T2-20250928-0012 Yes",
      "/approve T2-20250928-0012 yesterday",
      "/approve T2-20250928-0012 yes,no",
      "/approve yes T2-20250928-0012",
      "/approve\nT2-20250928-0012 yes",
      "/approve\tT2-20250928-0012 yes",
      "/approve T2-20250928-0012\u3000yes",
      "/approve T2-20250928-0012 yes\u2003now",
      "/approveT2-20250928-0012 yes",
      "/approve@ T2-20250928-0012 yes",
      "//approve T2-20250928-0012 yes",
    ];
    for (const text of near) expect(readCommand(text, ours).type, text).toBe("usage");
  });

  it("ignores a command that names another bot", () => {
    fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9_]{1,32}$/), code, (name, subject) => {
      fc.pre(name.toLowerCase() !== ours);
      expect(readCommand(`/approve@${name} ${subject} yes`, ours)).toEqual({
        type: "ignored",
        why: "other_bot",
      });
    }));
  });

  it("accepts every decision of the grammar and reads it back", () => {
    const suffix = fc.constantFrom("", `@${ours}`, `@${ours.toUpperCase()}`);
    fc.assert(
      fc.property(
        suffix,
        code,
        fc.constantFrom("yes", "no"),
        reason,
        spaces,
        (at, subject, answer, why, gap) => {
          const read = readCommand(`/approve${at}${gap}${subject}${gap}${answer} ${why}`, ours);
          expect(read).toEqual({
            type: "approve",
            code: subject,
            decision: answer === "yes" ? "approve" : "reject",
            reason: why.trim() === "" ? null : why.trim(),
            otp: null,
          });
        },
      ),
    );
  });

  // Look-alikes are made by exchanging one character of a good command, which a blind generator would never hit.
  it("accepts nothing but the grammar, one character away from it", () => {
    const strange = fc.oneof(
      fc.constantFrom(
        ..."аеорсухАЕОРСТХ０１２ＴｙｅｓꜰℊⅠ∕⁄／–‐−‑\u200b\u200c\u200d\u200e\u202e\u2066\u00a0\u3000\ufeff\u00ad\u0000\t\n\r",
      ),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      fc.constant(""),
    );
    const act = fc.constantFrom<"put" | "insert">("put", "insert");
    fc.assert(
      fc.property(
        code,
        fc.constantFrom("yes", "no"),
        fc.nat(),
        strange,
        act,
        (subject, answer, at, other, how) => {
          const good = [...`/approve ${subject} ${answer}`];
          good.splice(at % (good.length + 1), how === "put" ? 1 : 0, other);
          const text = good.join("");
          expect(readCommand(text, ours).type === "approve", JSON.stringify(text)).toBe(
            isDecision(text.replace(/[ \n]+$/, "")),
          );
        },
      ),
      { numRuns: 20_000 },
    );
  });

  it("acts on no text that a person did not write as a command", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        fc.pre(!text.startsWith("/"));
        expect(readCommand(text, ours)).toEqual({ type: "usage", about: "command" });
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps a reason to 500 characters without controls, NUL, direction marks or half characters", () => {
    const read = readCommand(
      `/approve T2-20250928-0012 no a\u0000b\u202ec\ud800d\n${"x".repeat(700)}`,
      ours,
    );
    if (read.type !== "approve" || read.reason === null) throw new Error("not read");
    expect(read.reason.startsWith("abc\ufffdd\nxxx")).toBe(true);
    expect(read.reason.length).toBe(500);
    // deno-lint-ignore no-control-regex
    expect(read.reason).not.toMatch(/[\u0000-\u0009\u202a-\u202e]/);
  });

  it("keeps a secret that slipped into a reason out of the record", () => {
    const read = readCommand("/approve T2-20250928-0012 no ask mara@example.com", ours);
    expect(JSON.stringify(read)).not.toContain("mara@example.com");
  });

  it("reads a text of a million spaces in no time", () => {
    const started = performance.now();
    expect(readCommand(`/approve${" ".repeat(1_000_000)}x`, ours).type).toBe("usage");
    expect(performance.now() - started).toBeLessThan(100);
  });

  it("knows the other commands by their exact form alone", () => {
    expect(readCommand("/pending", ours)).toEqual({ type: "pending" });
    expect(readCommand("/pending all", ours)).toEqual({ type: "usage", about: "pending" });
    expect(readCommand("/status T2-20250928-0012", ours)).toEqual({
      type: "status",
      id: "T2-20250928-0012",
    });
    expect(readCommand("/status", ours)).toEqual({ type: "usage", about: "status" });
    expect(readCommand("/status '; drop table tasks", ours)).toEqual({
      type: "usage",
      about: "status",
    });
    expect(readCommand("/help", ours)).toEqual({ type: "help" });
    expect(readCommand("/start abcd-1234", ours)).toEqual({
      type: "start",
      pairing_code: "abcd-1234",
    });
    expect(readCommand("/start аbcd-1234", ours)).toEqual({ type: "start", pairing_code: null });
    expect(readCommand("/sudo", ours)).toEqual({ type: "usage", about: "command" });
  });
});

describe("the commands of governance", () => {
  it.each<[string, object]>([
    ["/approve T3-20250928-0012 yes otp:123456", {
      type: "approve",
      decision: "approve",
      otp: "123456",
      reason: null,
    }],
    ["/approve T3-20250928-0012 yes otp:123456 fits the plan", {
      otp: "123456",
      reason: "fits the plan",
    }],
    ["/approve T3-20250928-0012 yes 123456", { otp: null, reason: "[code]" }],
    ["/approve T3-20250928-0012 yes opt:123456 as T3-20250927-123456", {
      otp: null,
      reason: "opt:[code] as T3-20250927-123456",
    }],
    ["/stop", { type: "stop", scope: "all", reason: null }],
    ["/stop order 123456 is wrong", { type: "stop", reason: "order 123456 is wrong" }],
    ["/stop t3 the exchange is down", {
      type: "stop",
      scope: "t3",
      reason: "the exchange is down",
    }],
    ["/stop everything now", { type: "stop", scope: "all", reason: "everything now" }],
    ["/stop t3x", { type: "stop", scope: "all", reason: "t3x" }],
    ["/resume t3", { type: "resume", scope: "t3", reason: null }],
    ["/confirm C-7K3M4Q yes otp:000000", {
      type: "confirm",
      code: "C-7K3M4Q",
      decision: "approve",
      otp: "000000",
    }],
    ["/breakglass T3-20250928-0012 close it", {
      type: "breakglass",
      id: "T3-20250928-0012",
      reason: "close it",
    }],
    ["/resolve 0b1f2c3d not-done the channel is empty", {
      type: "resolve",
      effect: "0b1f2c3d",
      outcome: "not-done",
      reason: "the channel is empty",
    }],
    ["/t3 on otp:123456", { type: "t3", state: "on", otp: "123456" }],
    ["/t3 off", { type: "t3", state: "off", otp: null }],
    ["/positions", { type: "positions", account: null }],
    ["/pnl paper-1", { type: "pnl", account: "paper-1" }],
  ])("%s", (text, intent) => expect(readCommand(text, ours)).toMatchObject(intent));

  it.each([
    "/confirm C-7K3M4Q",
    "/confirm c-7k3m4q yes",
    "/confirm C-7K3M4Q yes otp:12345",
    "/confirm C-7K3M4Q yes 123456",
    "/t3 on 123456",
    "/confirm C-7K3M4Q yes otp:１２３４５６",
    "/breakglass T3-20250928-0012",
    "/breakglass everything now",
    "/resolve 0b1f2c3d maybe",
    "/resolve 0B1F2C3D done",
    "/resolve 0b1f2c done",
    "/t3",
    "/t3 ON",
    "/t3 on otp:123456 please",
    "/positions two words",
  ])("%s is asked for again, and changes nothing", (text) => {
    expect(readCommand(text, ours)).toMatchObject({ type: "usage" });
  });
});
