// An HTTP server on loopback that goes away with everybody who is connected.
import { createServer } from "node:http";

const hostname = "127.0.0.1";

/** Resolves with its address and `close`. */
export async function listenOnLoopback(handle) {
  const server = createServer(handle);
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, hostname, resolve));
  return {
    url: `http://${hostname}:${server.address().port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
