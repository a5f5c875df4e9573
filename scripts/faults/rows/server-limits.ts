import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tick } from "../../../functions/orchestrator/handler.ts";
import * as line from "../../../tests/support/line.ts";
import { DatabaseMaker, sessions } from "../faulted-database.ts";
import { PostgresServer } from "../postgres-server.ts";
import { Findings, type Row } from "../row.ts";
import { alertBody, inParallel, RunningStack } from "../running-stack.ts";
import { until } from "../../../tests/support/until.ts";
import { orchestratorOf, readEvent, Traffic } from "../traffic.ts";
import { tally } from "./door.ts";
import { settle } from "./server.ts";

const diskFull: Row = {
  id: 39,
  fault: "the disk is full, data and WAL",
  promise: "errors instead of answers; nothing acknowledged is lost; it goes on when there is room",
  needs: ["own postgres", "mount"],
  async run(scene) {
    const found = new Findings();
    const tree = await scene.tree();
    const home = join(tree, "var/tmp", `ags-faults-disk-${process.pid}`);
    const { unmount } = await scene.mounted(400, home);
    scene.onRowEnd(unmount);
    const server = await PostgresServer.create(tree, {
      settings: ["max_wal_size=48MB", "min_wal_size=32MB", "shared_buffers=32MB"],
      home: join(home, "pg"),
      made: (one) => scene.onRowEnd(() => one.remove()),
    });
    await server.start();
    const maker = new DatabaseMaker(server.url);
    scene.onRowEnd(() => maker.close());
    const db = scene.watch(await maker.make(), maker);
    const traffic = new Traffic(scene, db, { senders: 3, workers: 1, pauseMs: 60 });
    await sleep(2000);
    const filler = join(home, "filler");
    const block = new Uint8Array(1024 * 1024);
    let filled = 0;
    const fill = async () => {
      for (;;) {
        const full = await appendFile(filler, block).then(() => false, () => true);
        if (full) return;
        filled++;
      }
    };
    await fill();
    const fullAt = Date.now();
    const hungry = sessions(db.url, 1);
    // What is still free inside the segments is used up, then nothing can be written.
    for (let i = 0; i < 12 && !(await server.log()).includes("No space left on device"); i++) {
      await hungry.unsafe(
        "create table if not exists public.filler as select repeat('x', 2000) as x from generate_series(1, 20000)",
      ).catch((error) => error);
      await fill();
    }
    await hungry.end({ timeout: 1 });
    await until("errors", () => traffic.errors.size > 0, 15_000);
    await sleep(2000);
    const died = !server.runs;
    const errors = [...traffic.errors].map(([name, n]) => `${n}×${name}`).join(" ");
    await rm(filler);
    if (died) await server.start();
    const roomAt = Date.now();
    await until(
      "somebody to be answered again",
      () => traffic.acknowledged.some((at) => at > roomAt),
      30_000,
    );
    await settle(traffic, found);
    await db.owner("drop table if exists public.filler");
    const complaints = [...(await server.log()).matchAll(/No space left on device/g)].length;
    found.counted(
      complaints,
      `"No space left on device" in the server's log, ${filled} MB of filler`,
    );
    found.must(errors !== "", "nobody got an error while the disk was full");
    found.saw(
      `while full for ${((roomAt - fullAt) / 1000).toFixed(0)} s: ${errors}; ${
        died ? "the server ended and was started again" : "the server stayed"
      }; ` +
        `${traffic.acknowledged.length} acknowledged, all there`,
    );
    return found.outcome("a 400 MB disk filled to the last byte under load");
  },
};

const crowded: Row = {
  id: 40,
  fault: "every connection that the server allows is taken",
  promise: "503 or served, within fifteen seconds; well again when they leave",
  needs: ["own postgres"],
  async run(scene) {
    await scene.server();
    const stack = await RunningStack.start(scene);
    const db = stack.database;
    const found = new Findings();
    const send = async (i: number) => {
      const began = performance.now();
      const status = await stack.post(
        "/intake/tradingview/desk-token-0123456789",
        alertBody({ time: `crowded ${i}` }),
        {},
        20_000,
      )
        .then(async (response) => {
          await response.arrayBuffer();
          return response.status;
        }, () => 0);
      return { status, ms: performance.now() - began };
    };
    await send(-1);
    // The platform's own sessions go, so that it has to come back into a full house.
    const crowd: ReturnType<typeof sessions>[] = [];
    let refused = 0;
    await db.owner(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dynamic-ags'",
    );
    for (let i = 0; i < 300 && refused < 5; i++) {
      const one = sessions(db.gatewayUrl, 1);
      const code = await one.unsafe("select 1").then(() => null, (error) => String(error.code));
      if (code === "53300") refused++;
      else if (code === null) crowd.push(one);
      if (code !== null) await one.end({ timeout: 0 });
    }
    const n = scene.times(60);
    const during = await inParallel(n, 20, send);
    await Promise.all(crowd.map((one) => one.end({ timeout: 1 })));
    const last = await until("to be served again", async () => {
      const answer = await send(n + Math.floor(Math.random() * 1e6));
      return answer.status === 202 && answer;
    }, 20_000);
    const statuses = during.map(({ status }) => status);
    const slowest = Math.max(...during.map(({ ms }) => ms));
    found.must(
      statuses.every((status) => status === 202 || status === 503),
      `answers: ${tally(statuses)}`,
    );
    found.must(slowest < 15_000, `the slowest answer took ${(slowest / 1000).toFixed(1)} s`);
    found.counted(crowd.length, "idle sessions opened");
    found.counted(refused, "further ones refused with 53300");
    found.saw(
      `${tally(statuses)}, slowest ${(slowest / 1000).toFixed(1)} s; afterwards ${last.status}`,
    );
    return found.outcome(`${crowd.length} idle sessions on a server of 120`);
  },
};

const troubles = ["40001", "40P01", "55P03", "57014"];

const trouble: Row = {
  id: 42,
  fault: "serialization failure, deadlock, lock and statement timeouts",
  promise: "tried again, and not counted as the step's failure",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const n = scene.times(12);
    // A sequence does not roll back: each raise is counted, whatever becomes of its transaction.
    await db.owner("create sequence private.injected");
    await db.owner(
      `create function private.inject_trouble() returns trigger language plpgsql set search_path = '' as $$
       declare v_codes text[] := array['40001', '40P01', '55P03', '57014'];
       begin
         if new.status = 'done' and nextval('private.injected') <= ${n} then
           raise exception 'injected' using errcode = v_codes[1 + currval('private.injected') % 4];
         end if;
         return new;
       end $$`,
    );
    await db.owner("grant usage on sequence private.injected to public");
    await db.owner(
      "create trigger _000_inject before update on public.task_steps for each row execute function private.inject_trouble()",
    );
    for (let i = 0; i < n; i++) await line.accept(db, readEvent(`trouble ${i}`));
    const deps = orchestratorOf(db.database, "worker");
    let thrown = 0;
    await until("all to be archived", async () => {
      await tick(deps).catch(() => thrown++);
      await db.owner(
        "update public.task_steps set lease_expires_at = private.now() - interval '1 second' where status = 'running'",
      );
      await db.owner("update public.task_steps set run_at = private.now() where status = 'ready'");
      return await db.count("public.tasks where ended_at is null") === 0;
    }, 60_000);
    const [{ raised }] = await db.owner<{ raised: number }>(
      "select least(last_value, ${n})::int as raised from private.injected".replace(
        "${n}",
        String(n),
      ),
    );
    const failures = await db.count("public.task_steps where failures > 0");
    const archived = await db.count("public.tasks where status = 'archived'");
    found.must(archived === n, `${archived} of ${n} were archived`);
    found.must(failures === 0, `${failures} steps count a failure of theirs`);
    found.must(thrown === 0, `${thrown} ticks broke off`);
    found.counted(raised, `errors raised inside completions: ${troubles.join(" ")}`);
    found.saw(`${archived} archived, ${failures} failures counted`);
    return found.outcome(`${n} completions hit by four kinds of trouble`);
  },
};

export const serverLimits = [diskFull, crowded, trouble];
