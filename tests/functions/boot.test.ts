import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const functions = [
  "intake",
  "orchestrator",
  "critic",
  "communicator",
  "telegram-webhook",
  "dags-domain-health",
];

/** What the platform and the operator set. Nothing listens at the address: booting must not need a database. */
const variables = {
  SUPABASE_URL: "http://127.0.0.1:9",
  SUPABASE_SECRET_KEYS: '{"default":"sb_secret_of_the_test"}',
  INTAKE_TOKENS: "tv=token-of-the-boot-test",
  SERVICE_TOKEN: "service-token-of-the-boot-test",
  TELEGRAM_BOT_TOKEN: "123456:boot-test",
  TELEGRAM_API_ROOT: "http://127.0.0.1:9",
  TELEGRAM_WEBHOOK_SECRET: "webhook-secret-of-the-boot-test",
};

let scratch: string;
beforeAll(async () => {
  // A deploy ships functions/ and nothing beside it: an import that leaves it must fail here and not there.
  scratch = await mkdtemp(join(tmpdir(), "boot-"));
  await cp(join(root, "functions"), join(scratch, "functions"), { recursive: true });
  await symlink(join(root, "node_modules"), join(scratch, "node_modules"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface Booted {
  process: ChildProcess;
  output: () => string;
  url: string;
}

async function boot(name: string, env: Record<string, string>): Promise<Booted> {
  const port = await freePort();
  const child = spawn(
    join(root, "node_modules/.bin/deno"),
    ["run", "--node-modules-dir=manual", "--no-lock", "--cached-only", "--allow-env", "--allow-net"]
      .concat(`functions/${name}/index.ts`),
    {
      cwd: scratch,
      env: {
        PATH: process.env.PATH,
        HOME: scratch,
        DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
        ...env,
      },
    },
  );
  let output = "";
  child.stdout.on("data", (data) => output += data);
  child.stderr.on("data", (data) => output += data);
  return { process: child, output: () => output, url: `http://127.0.0.1:${port}/${name}` };
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) =>
    child.exitCode === null ? child.once("exit", resolve) : resolve(child.exitCode)
  );

async function firstAnswer({ process, output, url }: Booted): Promise<Response> {
  for (let tries = 0; tries < 150; tries++) {
    if (process.exitCode !== null) break;
    const answer = await fetch(url).catch(() => null);
    if (answer !== null) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no answer; Deno said:\n${output()}`);
}

/** The bare names that a module and what it imports ask for. Here they would be found in node_modules; deployed they are not. */
async function bareNames(file: string, seen = new Map<string, string[]>()): Promise<Set<string>> {
  if (!seen.has(file)) {
    const text = await readFile(file, "utf8");
    const names = [...text.matchAll(/^(?:import|export|\}) ?(?:[^;"]* from )?"([^"]+)";/gm)];
    seen.set(file, names.map(([, name]) => name));
    for (const name of seen.get(file)!) {
      if (name.startsWith(".")) await bareNames(resolve(dirname(file), name), seen);
    }
  }
  return new Set(
    [...seen.values()].flat().filter((name) => /^@?[a-z]/.test(name) && !name.includes(":")),
  );
}

/** The answer may be here before the line about it has come through the pipe. */
async function lastLine(output: () => string): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const line = output().trim().split("\n").at(-1) ?? "";
    if (line.startsWith("{")) return line;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no log line came: ${output()}`);
}

describe.each(functions)("functions/%s/index.ts", (name) => {
  it("boots in Deno from a copy of functions/ alone and answers HTTP", async () => {
    const booted = await boot(name, variables);
    try {
      const answer = await firstAnswer(booted);
      expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
      // Nobody was introduced: health says that its database is away, the others refuse.
      const expected = name === "dags-domain-health" ? [503] : [401, 404, 405];
      expect(expected).toContain(answer.status);
      expect(JSON.parse(await lastLine(booted.output))).toMatchObject({
        function: name,
      });
    } finally {
      booted.process.kill("SIGKILL");
      await ended(booted.process);
    }
  }, 30_000);

  it("has at most 25 lines, and its deno.json pins all that it imports as package.json does", async () => {
    const text = await readFile(join(root, "functions", name, "index.ts"), "utf8");
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(25);
    const { imports } = JSON.parse(
      await readFile(join(root, "functions", name, "deno.json"), "utf8"),
    ) as { imports: Record<string, string> };
    const { dependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const asked = await bareNames(join(root, "functions", name, "index.ts"));
    expect(Object.keys(imports).sort()).toEqual([...asked].sort());
    for (const [specifier, target] of Object.entries(imports)) {
      const [, name, below] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier)!;
      expect(target).toBe(`npm:${name}@${dependencies[name]}${below ?? ""}`);
    }
  });
});

describe("a function's boot", () => {
  it(
    "stops with a sentence for each variable that is missing or wrong, and shows no value",
    async () => {
      const booted = await boot("intake", {
        ...variables,
        SERVICE_TOKEN: "",
        INTAKE_TOKENS: "my secret",
      });
      expect(await ended(booted.process)).not.toBe(0);
      expect(booted.output()).toMatch(/SERVICE_TOKEN is not set.*INTAKE_TOKENS, entry 1/s);
      expect(booted.output()).not.toContain("my secret");
    },
    30_000,
  );

  it("would notice an import that leaves functions/", async () => {
    await cp(join(scratch, "functions/intake"), join(scratch, "functions/leaving"), {
      recursive: true,
    });
    const index = join(scratch, "functions/leaving/index.ts");
    await writeFile(
      index,
      `import "../../scripts/stack/migrate.ts";\n${await readFile(index, "utf8")}`,
    );
    const booted = await boot("leaving", variables);
    expect(await ended(booted.process)).not.toBe(0);
    expect(booted.output()).toContain("Module not found");
  }, 30_000);

  it("is covered for every function there is", async () => {
    const entries = await readdir(join(root, "functions"), { withFileTypes: true });
    const found = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("_"));
    expect(found.map(({ name }) => name).sort()).toEqual([...functions].sort());
  });
});
