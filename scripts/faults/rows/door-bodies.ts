import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Findings, type Row } from "../row.ts";
import { alertBody, inParallel, reading, RunningStack } from "../running-stack.ts";
import { tally } from "./door.ts";
import { doorOf } from "./intake.ts";

/** One request by hand: its head, then a byte a second. Resolves with what came back, and when the other side hung up. */
function dribble(port: number, ms: number): Promise<{ status: number | null; closed: boolean }> {
  return new Promise((resolve) => {
    let text = "";
    let closed = false;
    const socket = connect(port, "127.0.0.1");
    socket.setEncoding("utf8").on("data", (part: string) => text += part);
    socket.on("close", () => closed = true).on("error", () => closed = true);
    socket.write(
      "POST /functions/v1/intake/tradingview/desk-token-0123456789 HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n",
    );
    const drip = setInterval(() => closed || socket.write("x"), 1000);
    setTimeout(() => {
      clearInterval(drip);
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0) || null, closed });
    }, ms);
  });
}

const slow: Row = {
  id: 7,
  fault: "bodies that arrive a byte a second",
  promise: "they are ended within a limit; everybody else is served as before",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const found = new Findings();
    const n = scene.times(60);
    const dribbling = inParallel(n, n, () => dribble(stack.port, 14_000));
    const times: number[] = [];
    await sleep(500);
    for (let i = 0; i < 40; i++) {
      const began = performance.now();
      const response = await stack.alert(alertBody({ time: `beside ${i}` }));
      await response.arrayBuffer();
      times.push(performance.now() - began);
      found.must(response.status === 202, `beside them: ${response.status}`);
    }
    const ends = await dribbling;
    const p99 = times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)];
    found.must(p99 < 2000, `p99 beside them ${p99.toFixed(0)} ms`);
    const ended = ends.filter(({ status, closed }) => status !== null || closed).length;
    found.must(ended === n, `${n - ended} of ${n} slow senders are still listened to after 14 s`);
    found.counted(n, "connections dribbled");
    found.saw(
      `${ended} ended (${tally(ends.map(({ status }) => status ?? 0))}), p99 beside them ${
        p99.toFixed(0)
      } ms`,
    );
    return found.outcome(`${n} senders with a byte a second for 14 s`);
  },
};

const nested = (open: string, close: string, depth: number) =>
  open.repeat(depth) + close.repeat(depth);
const monsters: [string, string | Uint8Array<ArrayBuffer>][] = [
  ["50 MB", new Uint8Array(50 * 1024 * 1024).fill(120)],
  ["100,000 levels deep", nested("[", "]", 100_000)],
  ["8,000 levels deep", nested("[", "]", 8_000)],
  ["objects 2,500 levels deep", nested('{"a":', "}", 2_500).replace("}", "1}")],
  ["a million keys", `{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":1`).join()}}`],
  ["1,400 keys", `{${Array.from({ length: 1_400 }, (_, i) => `"k${i}":1`).join()}}`],
  ["twice the same key", '{"ticker":"BTCUSDT","action":"buy","action":"sell","price":1}'],
  ["1e400", '{"ticker":"BTCUSDT","action":"buy","price":1e400}'],
  ["a lone surrogate", '{"ticker":"BTCUSDT","action":"buy","price":1,"note":"\\ud800"}'],
  ["a NUL", '{"ticker":"BTCUSDT","action":"buy","price":1,"note":"a\\u0000b"}'],
  ["a bare NUL", "BUY BTCUSDT\0 at 67000"],
  ["bytes that are no UTF-8", new Uint8Array([0xff, 0xfe, 0x80, 0xc0])],
  [
    "a number of 16,000 digits",
    `{"ticker":"BTCUSDT","action":"buy","price":${"9".repeat(16_000)}}`,
  ],
  ["nothing", ""],
];

const bombs: Row = {
  id: 8,
  fault: "50 MB, depth, a million keys, 1e400, lone surrogates, NUL",
  promise: "taken or refused with 4xx, never 5xx, before memory is spent",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const found = new Findings();
    await (await stack.alert(alertBody())).arrayBuffer();
    const before = await stack.resident();
    let most = before;
    const statuses: number[] = [];
    for (const [what, body] of monsters) {
      for (const path of ["/intake/tradingview/desk-token-0123456789", "/intake/tasks"]) {
        // A server that refuses early hangs up on whoever is still sending; both are a refusal.
        const status = await stack.post(path, body, {
          ...stack.bearer,
          "content-type": "application/json",
        })
          .then(async (response) => {
            await response.arrayBuffer();
            return response.status;
          }, () => 413);
        statuses.push(status);
        found.must(status < 500, `${what} at ${path}: ${status}`);
        most = Math.max(most, await stack.resident());
      }
    }
    const grown = most - before;
    found.must(grown < 32, `resident memory grew by ${grown.toFixed(0)} MB`);
    const alive = await stack.alert(alertBody({ time: "afterwards" }));
    found.must(alive.status === 202, `afterwards: ${alive.status}`);
    found.proof(`${statuses.length} bodies sent: ${tally(statuses)}`);
    found.saw(`no 5xx, memory grew by ${Math.max(grown, 0).toFixed(0)} MB`);
    return found.outcome(`${monsters.length} bodies at two doors`);
  },
};

const zipped: Row = {
  id: 9,
  fault: "a compressed body that would unfold to 16 MB and 1 GB",
  promise: "never unfolded: what came is what counts",
  needs: ["postgres"],
  async run(scene) {
    const stack = await RunningStack.start(scene);
    const found = new Findings();
    await (await stack.alert(alertBody())).arrayBuffer();
    const before = await stack.resident();
    const layer = gzipSync(new Uint8Array(15 * 1024 * 1024), { level: 9 });
    const big = gzipSync(new Uint8Array(256 * 1024 * 1024), { level: 9 });
    const nest = gzipSync(
      Uint8Array.from([...big.subarray(0, 0), ...gzipSync(big, { level: 9 })]),
      { level: 9 },
    );
    const statuses: number[] = [];
    for (const bytes of [layer, big, nest]) {
      for (const encoding of ["gzip", "br", "deflate"]) {
        const response = await stack.post("/intake/tasks", new Uint8Array(bytes), {
          ...stack.bearer,
          "content-encoding": encoding,
        }).catch(() => new Response(null, { status: 413 }));
        await response.arrayBuffer();
        statuses.push(response.status);
        found.must(
          response.status >= 400 && response.status < 500,
          `${bytes.length} bytes as ${encoding}: ${response.status}`,
        );
      }
    }
    const grown = await stack.resident() - before;
    found.must(grown < 32, `resident memory grew by ${grown.toFixed(0)} MB`);
    found.must(await stack.database.count("public.tasks") === 1, "a bomb became a task");
    found.proof(
      `${statuses.length} compressed bodies of ${layer.length}, ${big.length} and ${nest.length} bytes: ${
        tally(statuses)
      }`,
    );
    found.saw(`refused, memory grew by ${Math.max(grown, 0).toFixed(0)} MB`);
    return found.outcome("three bombs under three content encodings");
  },
};

const polluting = [
  '{"__proto__":{"polluted":true},"ticker":"BTCUSDT","action":"buy","price":1}',
  '{"constructor":{"prototype":{"polluted":true}},"ticker":"BTCUSDT","action":"buy","price":1}',
  '{"strategy":{"__proto__":{"polluted":true}},"ticker":"BTCUSDT","action":"buy","price":1}',
  '{"a":[{"b":{"__proto__":{"polluted":true}}}],"ticker":"BTCUSDT","action":"buy","price":1}',
  '{"__proto__":null,"ticker":"BTCUSDT","action":"buy","price":1}',
];

const prototypes: Row = {
  id: 10,
  fault: "__proto__ and constructor.prototype at any depth",
  promise: "data like any other: no prototype changes",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const send = doorOf(db);
    const statuses: number[] = [];
    for (const text of polluting) {
      for (
        const wrap of [
          (body: string) => body,
          (body: string) =>
            JSON.stringify(reading(body)).replace('{"text"', `${body.slice(0, -1)},"text"`),
        ]
      ) {
        const body = wrap(text);
        const path = body === text ? "/tradingview/desk-token" : "/tasks";
        const response = await send(path, body, { authorization: "Bearer service-token" });
        statuses.push(response.status);
        found.must(response.status < 500, `${body.slice(0, 40)}: ${response.status}`);
      }
    }
    found.must(!("polluted" in {}), "an empty object is polluted");
    found.must(
      !("polluted" in []) && !("polluted" in (() => 0)),
      "an array or a function is polluted",
    );
    found.counted(statuses.length, `bodies with prototypes: ${tally(statuses)}`);
    found.saw("({}).polluted is undefined in the process that read them");
    return found.outcome(`${polluting.length} bodies at two doors, in this process`);
  },
};

export const doorBodies = [slow, bombs, zipped, prototypes];
