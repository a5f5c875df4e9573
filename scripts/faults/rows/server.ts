import { setTimeout as sleep } from "node:timers/promises";
import { sessions } from "../faulted-database.ts";
import type { StopMode } from "../postgres-server.ts";
import { openProxy, postgresAnswered } from "../proxy.mjs";
import { Findings, type Row } from "../row.ts";
import { Traffic } from "../traffic.ts";

/** Lets traffic end, asks again for what was open, works off the rest, and writes down what is there. */
export async function settle(traffic: Traffic, found: Findings): Promise<void> {
  await traffic.end();
  for (let tries = 0; tries < 20 && traffic.unknown.length > 0; tries++) {
    const open = await traffic.resolve();
    found.saw(`${open} unknown outcomes looked up`);
  }
  found.must(traffic.unknown.length === 0, `${traffic.unknown.length} outcomes stay unknown`);
  const left = await traffic.drain();
  found.must(left === 0, `${left} tasks did not end`);
  await traffic.found();
}

const atCommit: Row = {
  id: 36,
  fault: "the connection is cut before, during and after the COMMIT",
  promise: "the outcome is looked up by its key, never assumed",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const url = new URL(db.gatewayUrl);
    const proxy = await openProxy({ host: url.hostname, port: Number(url.port) });
    scene.onRowEnd(() => proxy.close());
    const through = db.connect(1, proxy.through(db.gatewayUrl));
    const traffic = new Traffic(scene, db, { senders: 0, workers: 0 });
    const { history } = scene;
    const n = scene.times(4);
    const outcomes = { was: 0, wasNot: 0 };
    for (let i = 0; i < n; i++) {
      for (const mode of ["cut-before", "cut-during", "cut-after"]) {
        const key = `${mode}-${i}`;
        const event = traffic.eventOf(key);
        // A statement's text travels once per connection; the first call has no part in it.
        await through.call("policy_report").catch((error) => error);
        proxy.set(mode, { match: key, answered: postgresAnswered });
        history.add("invoke", "sender", "accept", key);
        const cut = await through.call("accept_event", { p_event: event }).then(
          () => false,
          () => true,
        );
        found.must(cut, `${mode}: the call was answered`);
        history.add("info", "sender", "accept", key, mode);
        proxy.set("pass");
        await sleep(mode === "cut-during" ? 150 : 0);
        const there = await db.count("public.tasks where source_event_id = $1", [key]);
        found.must(mode !== "cut-after" || there === 1, "cut after the commit, and not there");
        found.must(mode !== "cut-before" || there === 0, "cut before it left, and there");
        outcomes[there === 1 ? "was" : "wasNot"]++;
        found.must(
          await traffic.accept("resolver", key) === "ok",
          `${mode}: the look-up was not answered`,
        );
        found.must(
          await db.count("public.tasks where source_event_id = $1", [key]) === 1,
          `${mode}: not exactly one task`,
        );
      }
    }
    found.counted(proxy.counts.cuts, "connections cut by the proxy");
    const traffic2 = new Traffic(scene, db, {
      senders: 3,
      workers: 1,
      label: "terminated",
      pauseMs: 50,
    });
    const killer = sessions(db.url, 1);
    let terminated = 0;
    for (
      const end = Date.now() + 4000 * Math.max(1, scene.scale);
      Date.now() < end;
      await sleep(40)
    ) {
      terminated += (await killer.unsafe(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and usename = 'authenticator' and state = 'active' order by random() limit 1`,
      )).length;
    }
    await killer.end({ timeout: 1 });
    await settle(traffic2, found);
    await traffic.end();
    found.counted(terminated, "sessions ended by pg_terminate_backend while they worked");
    found.saw(
      `cut calls: ${outcomes.was} had been done, ${outcomes.wasNot} had not; each is one task after the look-up`,
    );
    return found.outcome(`${n * 3} cuts around COMMIT, and a session ended every 40 ms under load`);
  },
};

const restarts: Row = {
  id: 37,
  fault: "PostgreSQL restarts, fast and immediate, under load",
  promise: "nothing lost, nothing twice, back to speed within 10 s",
  needs: ["own postgres"],
  async run(scene) {
    const server = await scene.server();
    const db = await scene.database();
    const found = new Findings();
    const traffic = new Traffic(scene, db, { senders: 4, workers: 2, pauseMs: 150 });
    const n = scene.times(4);
    await sleep(3000);
    const recoveries: number[] = [];
    for (let i = 0; i < n; i++) {
      const mode: StopMode = i % 2 ? "immediate" : "fast";
      const usual = traffic.rate(Date.now() - 2500, Date.now());
      const ended = await server.stop(mode);
      const down = Date.now();
      found.proof(`${mode}: ${ended}`);
      await server.start();
      const up = Date.now();
      found.must(
        traffic.acknowledged.every((at) => at < down || at >= up - 2000),
        "somebody was answered while it was down",
      );
      let recovered: number | null = null;
      while (recovered === null && Date.now() < up + 10_000) {
        await sleep(100);
        const now = Date.now();
        if (now - up >= 1000 && traffic.rate(now - 1000, now) >= usual * 0.95) recovered = now - up;
      }
      found.must(
        recovered !== null,
        `not back to 95 % of ${usual.toFixed(0)}/s within 10 s of restart ${i + 1}`,
      );
      if (recovered !== null) recoveries.push(recovered);
      await sleep(1500);
    }
    await settle(traffic, found);
    const log = await server.log();
    found.counted(
      [...log.matchAll(/received (fast|immediate) shutdown request/g)].length,
      "shutdowns in the server's log",
    );
    found.saw(
      `${traffic.acknowledged.length} acknowledged; back to 95 % after ${
        recoveries.map((ms) => `${(ms / 1000).toFixed(1)} s`).join(", ")
      }`,
    );
    return found.outcome(`${n} restarts under 4 senders and 2 workers`);
  },
};

const killed: Row = {
  id: 38,
  fault: "kill -9 of the postmaster under load",
  promise: "all that was acknowledged is there, the files are sound",
  needs: ["own postgres"],
  async run(scene) {
    const server = await scene.server();
    const db = await scene.database();
    const found = new Findings();
    const traffic = new Traffic(scene, db, { senders: 4, workers: 2, pauseMs: 150 });
    const n = scene.times(2);
    for (let i = 0; i < n; i++) {
      await sleep(2000);
      const { pid } = server;
      const ended = await server.stop("kill");
      found.must(ended === "SIGKILL", `the postmaster ended by ${ended}`);
      found.proof(`pid ${pid}: ${ended}`);
      await server.start();
    }
    await sleep(1000);
    await settle(traffic, found);
    const recoveries =
      [...(await server.log()).matchAll(/database system was not properly shut down/g)].length;
    found.must(recoveries >= n, `the server's log tells of ${recoveries} recoveries`);
    await db.owner("create extension if not exists amcheck");
    const report = await server.program("pg_amcheck", [
      "--heapallindexed",
      "--parent-check",
      "-d",
      db.name,
    ]);
    found.must(report.trim() === "", `pg_amcheck: ${report.trim().slice(0, 200)}`);
    found.saw(`${traffic.acknowledged.length} acknowledged, all there; pg_amcheck finds nothing`);
    return found.outcome(`${n} kills of the postmaster, fsync on`);
  },
};

export const server = [atCommit, restarts, killed];
