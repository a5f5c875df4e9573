// A TCP proxy on loopback that breaks what passes through it, on demand. What it did is counted: a fault that was not
// injected proves nothing.
//   const proxy = await openProxy({ host: "127.0.0.1", port: 5432 });
//   proxy.set("cut-after", { match: leaseToken, answered: postgresAnswered });
import { connect, createServer } from "node:net";

const hostname = "127.0.0.1";

/**
 * pass        bytes go through
 * delay       each piece arrives `ms` later, in order, in both directions
 * blackhole   bytes are swallowed and connections stay open; whoever lost bytes is cut when the mode ends
 * refuse      every connection is cut, and so is every new one
 * cut-before  what `match` names is not passed on: both sides are cut
 * cut-during  it is passed on and the sender is cut at once: nobody knows whether it was done
 * cut-after   it is passed on, the target's whole answer is awaited and dropped, then the sender is cut: it was done
 */
export const modes = [
  "pass",
  "delay",
  "blackhole",
  "refuse",
  "cut-before",
  "cut-during",
  "cut-after",
];

const ready = Buffer.from([0x5a, 0, 0, 0, 5]);

/** Postgres is done with a statement, its commit included, when it says that it is ready for the next. */
export const postgresAnswered = (bytes) => bytes.includes(ready);

const always = () => true;

function matcher(match) {
  if (match === undefined) return always;
  return typeof match === "function" ? match : (bytes) => bytes.includes(match);
}

/**
 * @typedef {object} Rule
 * @property {string | Uint8Array | ((bytes: Buffer) => boolean)} [match] What a client must have sent, any bytes unless
 *   told. A statement's text travels once per connection, its arguments every time.
 * @property {number} [times] Cuts before it passes again, 1 unless told.
 * @property {(bytes: Buffer) => boolean} [answered] Of cut-after: whether these bytes end the answer.
 * @property {number} [ms] Of delay.
 */

/** Listens on a port of its own and passes everything on to `host:port`. */
export async function openProxy({ host, port }) {
  const pairs = new Set();
  const counts = { connections: 0, cuts: 0, answers: 0, swallowed: 0 };
  const log = [];
  let rule = { mode: "pass" };

  function cut(pair, why, both = true) {
    if (!pairs.delete(pair)) return;
    pair.client.destroy();
    if (both) pair.target.destroy();
    if (why === null) return;
    counts.cuts++;
    log.push({ at: Date.now(), mode: why, connection: pair.number });
  }

  /** One cut is used up the moment it is decided, so that two connections do not share it. */
  function takesCut(mode, bytes) {
    if (rule.mode !== mode || !rule.match(bytes)) return false;
    rule.left--;
    if (rule.left <= 0) rule = { mode: "pass" };
    return true;
  }

  /** What is still under way when the mode changes stays in front of what follows it. */
  function pass(pair, side, bytes) {
    const lane = pair[side];
    const write = () => {
      if (!lane.socket.destroyed) lane.socket.write(bytes);
    };
    if (rule.mode !== "delay" && lane.waiting === 0) return write();
    const ms = rule.mode === "delay" ? rule.ms : 0;
    lane.waiting++;
    lane.last = Promise.all([lane.last, new Promise((resolve) => setTimeout(resolve, ms))]).then(
      () => {
        lane.waiting--;
        write();
      },
    );
  }

  function fromClient(pair, bytes) {
    if (rule.mode === "blackhole") return swallow(pair, bytes);
    if (takesCut("cut-before", bytes)) return cut(pair, "cut-before");
    const { answered } = rule;
    if (takesCut("cut-after", bytes)) pair.drops = { answered, seen: Buffer.alloc(0) };
    if (takesCut("cut-during", bytes)) {
      pair.drops = { answered: () => false, seen: Buffer.alloc(0) };
      // The bytes are handed over first; ended, not reset, so that the target reads them all.
      pair.target.end(bytes);
      pair.client.destroy();
      return cut(pair, "cut-during", false);
    }
    pass(pair, "up", bytes);
  }

  function swallow(pair, bytes) {
    pair.lost = true;
    counts.swallowed += bytes.length;
  }

  function fromTarget(pair, bytes) {
    countAnswers(pair, bytes);
    if (pair.drops) {
      pair.drops.seen = Buffer.concat([pair.drops.seen, bytes]);
      if (pair.drops.answered(pair.drops.seen)) cut(pair, "cut-after");
      return;
    }
    if (rule.mode === "blackhole") return swallow(pair, bytes);
    pass(pair, "down", bytes);
  }

  /** How many statements Postgres ended, wherever the pieces were split. */
  function countAnswers(pair, bytes) {
    const all = Buffer.concat([pair.tail, bytes]);
    for (let at = all.indexOf(ready); at >= 0; at = all.indexOf(ready, at + 1)) counts.answers++;
    pair.tail = all.subarray(Math.max(0, all.length - ready.length + 1));
  }

  const server = createServer((client) => {
    if (rule.mode === "refuse") {
      counts.cuts++;
      log.push({ at: Date.now(), mode: "refuse", connection: null });
      return void client.on("error", () => {}).destroy();
    }
    const target = connect(port, host);
    const lane = (socket) => ({ socket, waiting: 0, last: null });
    const pair = {
      number: ++counts.connections,
      client,
      target,
      up: lane(target),
      down: lane(client),
      tail: Buffer.alloc(0),
      lost: false,
      drops: null,
    };
    pairs.add(pair);
    client.setNoDelay(true);
    target.setNoDelay(true);
    client.on("data", (bytes) => fromClient(pair, bytes));
    target.on("data", (bytes) => fromTarget(pair, bytes));
    for (const socket of [client, target]) {
      // Whatever ends one side ends the other: that is all a proxy knows of an error.
      socket.on("error", () => cut(pair, null));
      socket.on("close", () => cut(pair, null));
    }
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, hostname, resolve);
  });
  const address = server.address();
  return {
    host: hostname,
    port: address.port,
    /** connections, cuts, answers of Postgres, bytes swallowed. */
    counts,
    /** One entry per cut: when, which mode, which connection. */
    log,
    open: () => pairs.size,
    /** The same address, by way of this proxy. */
    through(url) {
      const own = new URL(url);
      own.hostname = hostname;
      own.port = String(address.port);
      return own.href;
    },
    /**
     * @param {string} mode
     * @param {Rule} [rule]
     */
    set(mode, { match, times = 1, answered = always, ms = 0 } = {}) {
      if (!modes.includes(mode)) throw new TypeError(`${mode} is no mode of this proxy`);
      for (const pair of [...pairs]) if (pair.lost) cut(pair, "blackhole");
      rule = { mode, match: matcher(match), left: times, answered, ms };
      if (mode === "refuse") { for (const pair of [...pairs]) cut(pair, "refuse"); }
    },
    async close() {
      for (const pair of [...pairs]) cut(pair, null);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
