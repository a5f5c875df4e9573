import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openProxy } from "../../../scripts/faults/proxy.mjs";

type Proxy = Awaited<ReturnType<typeof openProxy>>;

interface Echo {
  port: number;
  heard: () => string;
  close: () => Promise<void>;
}

/** Answers every piece in capitals, and remembers what it heard. */
async function echo(): Promise<Echo> {
  const sockets = new Set<Socket>();
  let heard = "";
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => sockets.delete(socket));
    socket.on("data", (bytes) => {
      heard += bytes;
      socket.write(String(bytes).toUpperCase());
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    heard: () => heard,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** What comes back for one message: an answer, or how the connection ended. */
async function say(socket: Socket, text: string, withinMs = 300): Promise<string> {
  const answered = new Promise<string>((resolve) => {
    socket.once("data", (bytes) => resolve(String(bytes)));
    socket.once("close", () => resolve("cut"));
    setTimeout(() => resolve("silence"), withinMs);
  });
  socket.write(text);
  return await answered;
}

describe("the proxy that breaks connections", () => {
  let target: Echo;
  let proxy: Proxy;
  const opened: Socket[] = [];

  beforeEach(async () => {
    target = await echo();
    proxy = await openProxy({ host: "127.0.0.1", port: target.port });
  });
  afterEach(async () => {
    for (const socket of opened.splice(0)) socket.destroy();
    await proxy.close();
    await target.close();
  });

  async function dial(): Promise<Socket> {
    const socket = connect(proxy.port, proxy.host);
    socket.on("error", () => {});
    opened.push(socket);
    await once(socket, "connect");
    return socket;
  }

  it("refuses a mode that it does not have", () => {
    expect(() => proxy.set("explode")).toThrow("explode is no mode of this proxy");
  });

  it("passes everything on, and counts what came", async () => {
    expect(await say(await dial(), "hello")).toBe("HELLO");
    expect(proxy.counts).toMatchObject({ connections: 1, cuts: 0 });
  });

  it("cut-before: the target never hears what was cut, and the next is passed", async () => {
    proxy.set("cut-before", { match: "commit" });
    const socket = await dial();
    expect(await say(socket, "begin ")).toBe("BEGIN ");
    expect(await say(socket, "commit ")).toBe("cut");
    expect(await say(await dial(), "commit again")).toBe("COMMIT AGAIN");
    expect(target.heard()).toBe("begin commit again");
    expect(proxy.log).toMatchObject([{ mode: "cut-before", connection: 1 }]);
  });

  it("cut-during and cut-after: the target hears it, the sender hears nothing", async () => {
    for (const mode of ["cut-during", "cut-after"]) {
      proxy.set(mode, { match: "commit" });
      expect(await say(await dial(), `commit ${mode} `)).toBe("cut");
    }
    await expect.poll(target.heard).toBe("commit cut-during commit cut-after ");
    expect(proxy.counts.cuts).toBe(2);
  });

  it("cuts as often as it was told, on whatever connection it meets", async () => {
    proxy.set("cut-before", { match: "x", times: 2 });
    expect(await say(await dial(), "x")).toBe("cut");
    expect(await say(await dial(), "x")).toBe("cut");
    expect(await say(await dial(), "x")).toBe("X");
  });

  it("delays both ways, and keeps the order when it stops", async () => {
    proxy.set("delay", { ms: 60 });
    const socket = await dial();
    const started = performance.now();
    const first = say(socket, "a", 2000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    proxy.set("pass");
    socket.write("b");
    expect((await first).startsWith("A")).toBe(true);
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
    await expect.poll(target.heard).toBe("ab");
  });

  it("swallows in a blackhole, and cuts whoever lost something when it ends", async () => {
    const [quiet, loud] = [await dial(), await dial()];
    proxy.set("blackhole");
    expect(await say(loud, "lost")).toBe("silence");
    const ended = once(loud, "close");
    proxy.set("pass");
    await ended;
    expect(await say(quiet, "kept")).toBe("KEPT");
    expect(target.heard()).toBe("kept");
    expect(proxy.counts.swallowed).toBe(4);
  });

  it("refuses: what is open is cut, and nobody gets in", async () => {
    const socket = await dial();
    const ended = once(socket, "close");
    proxy.set("refuse");
    await ended;
    expect(await say(await dial(), "anybody?")).toBe("cut");
    expect(target.heard()).toBe("");
  });
});
