import { safeFetch } from "../../../functions/_channels/safe-fetch.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { writeLog } from "../../../functions/_edge/log.ts";
import { sameSecret } from "../../../functions/_edge/secret.ts";
import { Findings, type Row } from "../row.ts";
import { pick } from "../seed.ts";

/** Welch's t over what is left when the slowest tenth of each side is cut off: those are the machine's, not the code's. */
function welch(left: number[], right: number[]): number {
  const cut = (values: number[]) =>
    values.sort((a, b) => a - b).slice(0, Math.floor(values.length * 0.9));
  const of = (values: number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      mean,
      v: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) /
        values.length,
    };
  };
  const [a, b] = [of(cut(left)), of(cut(right))];
  return Math.abs(a.mean - b.mean) / Math.sqrt(a.v + b.v);
}

const timing: Row = {
  id: 62,
  fault: "secrets are guessed by the time that a comparison takes",
  promise: "the time says nothing; the same measure finds a comparison that stops early",
  needs: [],
  async run(scene) {
    const found = new Findings();
    const kept = "k".repeat(2048);
    const near = `${kept.slice(0, -1)}x`;
    const far = `x${kept.slice(1)}`;
    const n = scene.times(6000);
    const early = (a: string, b: string) => {
      for (let i = 0; i < a.length; i++) if (a.charCodeAt(i) !== b.charCodeAt(i)) return false;
      return true;
    };
    const measure = async (compare: (presented: string) => Promise<unknown> | boolean) => {
      const sides: [number[], number[]] = [[], []];
      for (let i = 0; i < n * 2; i++) {
        const side = scene.random() < 0.5 ? 0 : 1;
        const began = performance.now();
        await compare(side === 0 ? near : far);
        sides[side].push(performance.now() - began);
      }
      return welch(...sides);
    };
    const control = await measure((presented) => {
      let same = false;
      for (let i = 0; i < 20; i++) same = early(presented, kept);
      return same;
    });
    found.must(
      control > 4.5,
      `the measure does not see a comparison that stops early (t = ${control.toFixed(1)})`,
    );
    // Noise comes and goes; a slope is there each time.
    const ts: number[] = [];
    while (ts.length < 3 && !ts.some((t) => t < 4.5)) {
      ts.push(await measure((presented) => sameSecret(presented, kept)));
    }
    found.must(ts.some((t) => t < 4.5), `t = ${ts.map((t) => t.toFixed(1)).join(", ")}`);
    found.proof(`planted early exit: t = ${control.toFixed(1)}`);
    found.saw(`t = ${ts.map((t) => t.toFixed(1)).join(", ")} over ${n} pairs`);
    return found.outcome(`${n} guesses wrong at the first and ${n} at the last letter`);
  },
};

const hosts: Record<string, string[]> = {
  "public.example": ["93.184.216.34"],
  "inside.example": ["192.168.1.10"],
  "both.example": ["93.184.216.34", "10.0.0.5"],
  "metadata.example": ["169.254.169.254"],
  "mapped.example": ["::ffff:10.1.2.3"],
  "localhost": ["127.0.0.1", "::1"],
};
const addresses = [
  "127.0.0.1",
  "127.1",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "017700000001",
  "0.0.0.0",
  "0",
  "127.0.0.1.",
  "①②⑦.⓪.⓪.①",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.0.1",
  "169.254.169.254",
  "2852039166",
  "0xa9fea9fe",
  "100.64.0.1",
  "192.0.2.1",
  "198.18.0.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "[::]",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:169.254.169.254]",
  "[64:ff9b::7f00:1]",
  "[2002:7f00:1::]",
  "[fe80::1]",
  "[fc00::1]",
  "[fd00:ec2::254]",
  "[ff02::1]",
  "[2001:db8::1]",
  "[100::1]",
  ...Object.keys(hosts).slice(1),
  "nobody.example",
];
const others = [
  "http://public.example/",
  "file:///etc/passwd",
  "ftp://public.example/",
  "gopher://127.0.0.1:6379/_INFO",
  "https://user@public.example/",
  "https://user:word@public.example/",
  "https://public.example@127.0.0.1/",
  "https://public.example:8080/",
  "https://public.example:22/",
  "data:text/plain,x",
  "javascript:alert(1)",
  "https://",
  "https:///x",
  "//127.0.0.1/",
];

const requestForgery: Row = {
  id: 63,
  fault: "URLs that lead inside: odd numbers, IPv6, names that change, redirects, other schemes",
  promise: "refused after the name is resolved; no redirect is followed",
  needs: [],
  async run(_scene) {
    const found = new Findings();
    const asked: string[] = [];
    const codes = new Map<string, number>();
    const tell = async (
      url: string,
      answer = () => new Response("fine"),
      resolve = (host: string) =>
        host in hosts ? Promise.resolve(hosts[host]) : Promise.reject(new Error("ENOTFOUND")),
    ) => {
      const fetch = safeFetch({
        resolve,
        fetch: (input) => {
          asked.push(String(input instanceof Request ? input.url : input));
          return Promise.resolve(answer());
        },
        max_bytes: 1000,
        timeout_ms: 500,
      });
      const code = await fetch(url).then(
        async (response) => `answered ${await response.text()}`,
        (error) => error instanceof Refusal ? error.code : String(error),
      );
      codes.set(code, (codes.get(code) ?? 0) + 1);
      return code;
    };
    const vectors = [...addresses.map((host) => `https://${host}/`), ...others];
    for (const url of vectors) found.must(await tell(url) === "url_denied", `${url} was asked for`);
    found.must(asked.length === 0, `${asked[0]} was called`);
    const redirect = await tell(
      "https://public.example/",
      () => new Response(null, { status: 302, headers: { location: "https://127.0.0.1/" } }),
    );
    found.must(redirect === "url_denied", `a redirect: ${redirect}`);
    let looks = 0;
    const rebound = await tell(
      "https://public.example/",
      undefined,
      () => Promise.resolve(looks++ === 0 ? ["93.184.216.34"] : ["127.0.0.1"]),
    );
    found.must(rebound === "url_denied" && looks === 2, `a name that changed: ${rebound}`);
    found.must(
      await tell("https://public.example/") === "answered fine",
      "a public host was refused",
    );
    found.counted(
      vectors.length + 2,
      `URLs tried: ${[...codes].map(([code, n]) => `${n}×${code}`).join(" ")}`,
    );
    found.saw("no call left for any of them; a public host was called");
    return found.outcome(`${vectors.length} URLs, a redirect inside, a name that changes`);
  },
};

const breaking = [
  "\r",
  "\n",
  "\r\n",
  "\u2028",
  "\u2029",
  "\u001b[31m",
  "\u0000",
  "\b",
  '"}\n{"status":200',
  "\\",
  "\u202e",
  "`*_[",
  "<b>&amp;",
  "%0d%0a",
  "\u0085",
  "\x1b]0;x\x07",
];

const logs: Row = {
  id: 64,
  fault: "line breaks, escape sequences, quotes and markup in everything that is logged",
  promise: "one event is one line of JSON, without controls",
  needs: [],
  run(scene) {
    const found = new Findings();
    const n = scene.times(5000);
    let hostile = 0;
    for (let i = 0; i < n; i++) {
      const text = Array.from(
        { length: 1 + Math.floor(scene.random() * 6) },
        () => pick(scene.random, [...breaking, "word", "T-2026-03-01-0012"]),
      ).join("");
      const lines: string[] = [];
      writeLog((written) => lines.push(written), new Date(0), {
        function: "intake",
        status: 500,
        ms: 1,
        outcome: text,
        code: text,
        task_id: text,
        step_id: text,
        error: text,
      });
      found.must(
        lines.length === 1 && !/[\p{Cc}\u2028\u2029\u202e]/u.test(lines[0]),
        `a line broke: ${JSON.stringify(lines[0]).slice(0, 200)}`,
      );
      const read: { status: number; function: string } = JSON.parse(lines[0]);
      found.must(read.status === 500 && read.function === "intake", "a field was overwritten");
      hostile++;
    }
    found.counted(hostile, "hostile texts in five fields each");
    found.saw("each one line, each JSON, no control left");
    return Promise.resolve(found.outcome(`${n} log lines`));
  },
};

export const edges = [timing, requestForgery, logs];
