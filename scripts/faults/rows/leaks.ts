import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { canaries, disguises } from "../../../tests/hostile/canary-texts.ts";
import { root } from "../../launch.mjs";
import { Findings, type Row } from "../row.ts";
import { alertBody, reading, RunningStack } from "../running-stack.ts";
import { until } from "../../../tests/support/until.ts";

const leaks: Row = {
  id: 65,
  fault: "secrets and personal data in alerts, payloads, goals and messages, plain and encoded",
  promise: "found in no table, no log, no message",
  needs: ["postgres"],
  async run(scene) {
    const { stack, api } = await RunningStack.withBot(scene);
    const found = new Findings();
    const forms = ["plain", "base64", "hex"];
    let planted = 0;
    for (const [i, canary] of canaries.entries()) {
      for (const form of forms) {
        const text = disguises[form](canary);
        const answer = planted % 2 === 0
          ? await stack.alert(
            alertBody({ time: `canary ${i} ${form}`, note: `see ${text} please` }),
          )
          : await stack.task(
            reading(`canary ${i} ${form}`, {
              goal: `Read ${text} now`,
              payload: { text: `word ${text} word`, summary: text },
            }),
          );
        await answer.arrayBuffer();
        planted++;
      }
      await (await stack.update({
        update_id: 70_000 + i,
        message: {
          message_id: i + 1,
          from: { id: 1001, is_bot: false, first_name: "x" },
          chat: { id: 1001, type: "private" },
          date: 1,
          text: `/approve T2-20260301-0012 no ${canary.name}${canary.value}`,
        },
      })).arrayBuffer();
    }
    // A short value could stand anywhere by chance.
    scene.canaries.push(
      ...canaries.filter(({ value }) => value.length >= 8).flatMap((
        canary,
      ) => [canary.value, ...forms.slice(1).map((form) => disguises[form](canary))]),
    );
    await until(
      "the line to work on them",
      async () =>
        await stack.database.count(
          "public.task_steps where status in ('ready', 'running') and run_at <= private.now()",
        ) === 0,
      60_000,
    );
    scene.said.push(
      { place: "log", text: stack.out },
      ...api.calls.map(({ parameters }) => ({
        place: "message",
        text: JSON.stringify(parameters),
      })),
    );
    found.counted(
      planted,
      `deliveries with one of ${canaries.length} canaries, ${canaries.length} messages`,
    );
    found.saw(
      `looked for ${scene.canaries.length} forms in every table, ${stack.out.length} characters of log, ${api.calls.length} calls to Telegram`,
    );
    return found.outcome(
      `${canaries.length} canaries in ${forms.length} forms through three doors`,
    );
  },
};

const supply: Row = {
  id: 67,
  fault: "the lock file loses a checksum, names another registry, or a version floats",
  promise: "the laws of the suite go red",
  needs: [],
  async run(scene) {
    const found = new Findings();
    const copy = mkdtempSync(join(await scene.scratch(), "tree-"));
    const parts = readdirSync(root).filter((name) =>
      ![".git", ".local", "node_modules"].includes(name)
    );
    for (const part of parts) {
      cpSync(join(root, part), join(copy, part), { recursive: true, verbatimSymlinks: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const laws = ["the-lock-is-whole", "the-lock-names-no-registry", "dependencies-are-pinned-once"]
      .map((law) => `tests/laws/${law}.test.ts`);
    const judge = () => {
      const { status, stdout, stderr } = spawnSync("node", [
        join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        ...laws,
      ], { cwd: copy, encoding: "utf8", timeout: 60_000, env: { ...process.env, NO_COLOR: "1" } });
      return { red: status !== 0, why: /FAIL\s+(\S+)/.exec(stdout + stderr)?.[1] ?? "" };
    };
    const clean = judge();
    found.must(!clean.red, `red before anything was planted: ${clean.why}`);
    const plants: [string, string, (text: string) => string][] = [
      [
        "a checksum is gone",
        "package-lock.json",
        (text) => text.replace(/"integrity": "[^"]+",?\s*/, ""),
      ],
      [
        "another registry",
        "package-lock.json",
        (text) =>
          text.replace(
            /"node_modules\/zod": \{/,
            '"node_modules/zod": {\n      "resolved": "https://registry.example/zod.tgz",',
          ),
      ],
      ["a floating version", "package.json", (text) => text.replace(/"zod": "/, '"zod": "^')],
    ];
    for (const [what, file, change] of plants) {
      const was = readFileSync(join(copy, file), "utf8");
      const becomes = change(was);
      found.must(was !== becomes, `${what}: nothing was changed`);
      writeFileSync(join(copy, file), becomes);
      const { red, why } = judge();
      found.must(red, `${what}: the laws are green`);
      if (red) found.proof(`${what}: ${why}`);
      writeFileSync(join(copy, file), was);
    }
    found.saw(`${plants.length} of ${plants.length} noticed`);
    return found.outcome("three changes of a copied tree");
  },
};

export const leaking = [leaks, supply];
