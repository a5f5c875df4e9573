import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { reasonOf, Unanswered } from "../../../command-center/sources/unanswered.ts";
import { findDeno } from "../../../scripts/launch.mjs";

const module = new URL("../../../command-center/sources/unanswered.ts", import.meta.url);

it.each([
  [["--allow-net"], "http://127.0.0.1:1024/", "connection refused"],
  [[], "http://127.0.0.1:1024/", "the command center was started without leave to reach it"],
])("says under Deno, with %j, why %s does not answer", async (permissions, url, reason) => {
  const script = `import { reasonOf } from "${module}";
    await fetch("${url}").catch((error) => console.log(reasonOf(error)));`;
  const { stdout } = await promisify(execFile)(findDeno() ?? "deno", [
    "run",
    "--no-prompt",
    "--no-remote",
    ...permissions,
    `data:text/javascript,${encodeURIComponent(script)}`,
  ], { timeout: 15_000 });
  expect(stdout.trim()).toBe(reason);
});

it("never repeats an address, a path or a credential", () => {
  const told = [
    new TypeError("error sending request for url (http://user:pass@10.0.0.7/)"),
    Object.assign(new Error("ENOENT: open '/srv/secret'"), { code: "EACCES" }),
    new Error("WRONGPASS invalid password abc"),
    "a bare string with a secret",
    new TypeError("fetch failed", { cause: new Error("dns error: failed to lookup git.example") }),
    new Unanswered("it answered 503"),
  ].map(reasonOf);
  expect(told).toEqual([
    "it could not be reached (TypeError)",
    "not allowed to read it",
    "it could not be reached (Error)",
    "it could not be reached (string)",
    "its host name is not known",
    "it answered 503",
  ]);
});
