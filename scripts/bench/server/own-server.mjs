// A PostgreSQL of the bench's own: a scratch directory, a loopback port, a password nobody else knows.
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import postgres from "postgres";
import { serverUser } from "./programs.mjs";

const run = promisify(execFile);

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A bench that is killed cannot stop its server; where the system can, it does. */
const endsWithUs = (root) =>
  existsSync(join(root, "usr/bin/setpriv")) ? ["/usr/bin/setpriv", "--pdeathsig", "INT"] : [];

/** How a program of this PostgreSQL is called: in its tree, as a user who is not root. */
function calling({ bin, root }, user, before = () => []) {
  const prefix = before(root);
  if (root !== "/") {
    const chroot = ["--userspec=postgres:postgres", root, "/usr/bin/env", "-i", "LC_ALL=C.UTF-8"];
    return (name, args) => ["chroot", [...chroot, ...prefix, `${bin}/${name}`, ...args], {}];
  }
  return (name, args) => {
    const [program, ...words] = [...prefix, join(bin, name), ...args];
    return [program, words, { ...user, env: { LC_ALL: "C.UTF-8" } }];
  };
}

async function scratchDirectory(root, user) {
  const folder = await mkdtemp(join(root === "/" ? tmpdir() : join(root, "var/tmp"), "ags-bench-"));
  if (root !== "/") {
    await run("chroot", [root, "chown", "postgres:postgres", folder.slice(root.length)]);
  } else if (user) await chown(folder, user.uid, user.gid);
  return { folder, inside: root === "/" ? folder : folder.slice(root.length) };
}

/**
 * Started with everything that makes a commit durable, and with room in its log, so that no checkpoint falls into one
 * contestant's round alone. Statement counting is loaded; who wants it switches it on in their own session.
 */
export async function startServer(programs) {
  const user = programs.root === "/" ? serverUser() : null;
  const call = calling(programs, user);
  const { folder, inside } = await scratchDirectory(programs.root, user);
  let server = null;
  const stop = async () => {
    if (server !== null && server.exitCode === null && server.signalCode === null) {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGINT");
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const password = randomBytes(18).toString("hex");
    await writeFile(join(folder, "password"), password, { mode: 0o644 });
    const [program, words, options] = call("initdb", [
      "-D",
      `${inside}/db`,
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      "--username=postgres",
      `--pwfile=${inside}/password`,
      "--auth=scram-sha-256",
    ]);
    await run(program, words, options);
    await rm(join(folder, "password"));
    const port = await freePort();
    const counted = programs.has("pg_stat_statements");
    const settings = {
      port,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: inside,
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
      dynamic_shared_memory_type: "mmap",
      max_connections: 200,
      shared_buffers: "512MB",
      max_wal_size: "4GB",
      checkpoint_timeout: "15min",
      log_min_messages: "error",
      timezone: "UTC",
      ...counted
        ? { shared_preload_libraries: "pg_stat_statements", "pg_stat_statements.track": "none" }
        : {},
    };
    const [binary, args, how] = calling(programs, user, endsWithUs)("postgres", [
      "-D",
      `${inside}/db`,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ]);
    // Its own group: Ctrl-C reaches the bench, which stops the server when its databases are gone.
    server = spawn(binary, args, { ...how, stdio: ["ignore", "ignore", "pipe"], detached: true });
    let log = "";
    server.stderr.setEncoding("utf8").on("data", (chunk) => log = `${log}${chunk}`.slice(-4000));
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    for (let tries = 0;; tries++) {
      const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
      const ready = await sql`select 1`.then(() => true, () => false);
      await sql.end({ timeout: 1 });
      if (ready) break;
      if (tries > 100 || server.exitCode !== null) {
        throw new Error(`PostgreSQL did not start: ${log}`);
      }
      await sleep(200);
    }
    return { url, stop, pid: server.pid };
  } catch (error) {
    await stop();
    throw error;
  }
}
