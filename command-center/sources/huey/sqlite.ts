/// <reference path="./node-sqlite.d.ts" />
import { readFileSync, statSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { fromEpoch } from "../instant.ts";
import { Unanswered } from "../unanswered.ts";
import type { HueyCounts } from "./queue.ts";

/** How long a writer is waited for. SQLite's calls hold the whole process, so it is short. */
const busy_ms = 200;

/** Counts and times of one queue in Huey's SQLite storage, read without writing a byte beside it. */
export async function sqliteCounts(path: string, queue: string, now: Date): Promise<HueyCounts> {
  const database = await opened(path);
  try {
    database.exec(`pragma busy_timeout = ${busy_ms}; pragma query_only = 1`);
    return counted(database, queue, now.getTime() / 1000);
  } catch (error) {
    throw new Unanswered(told(error));
  } finally {
    database.close();
  }
}

function counted(database: DatabaseSync, queue: string, now_s: number): HueyCounts {
  // One statement is one snapshot. The payload's column is never named.
  const row = database.prepare(`
    select
      (select count(*) from task where queue = :queue) as pending,
      (select count(*) from schedule where queue = :queue) as scheduled,
      (select count(*) from schedule where queue = :queue and timestamp <= :now) as overdue,
      (select min(timestamp) from schedule where queue = :queue and timestamp > :now) as next_due,
      (select min(timestamp) from schedule where queue = :queue and timestamp <= :now) as oldest_due,
      (select count(*) from kv where queue = :queue) as results
  `).get({ queue, now: now_s });
  if (row === undefined) throw new Unanswered("its storage answered nothing");
  return {
    pending: number(row.pending),
    scheduled: number(row.scheduled),
    overdue: number(row.overdue),
    next_due_at: fromEpoch(row.next_due),
    oldest_due_at: fromEpoch(row.oldest_due),
    results: number(row.results),
  };
}

function number(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new Unanswered("its storage answered another kind of value than a count");
}

/** A file that nobody has open is read whole, up to this. */
const max_bytes = 67_108_864;

/**
 * Any reader of a write-ahead database makes two files beside it unless they are there, owned by whoever reads, and its
 * writer may then find them closed. So one that nobody has open is read as bytes; one that somebody has open is opened the
 * plain way, which adds nothing then; and one left behind in the middle of a write is not touched.
 */
async function opened(path: string): Promise<DatabaseSync> {
  // Under Node 20 there is none; the command center runs under Deno.
  const { DatabaseSync } = await import("node:sqlite");
  const header = await headerOf(path);
  const isWriteAhead = header[18] === 2 || header[19] === 2;
  try {
    if (!isWriteAhead) return new DatabaseSync(path, { readOnly: true });
    const log = await sizeOf(`${path}-wal`);
    if (log === null || log === 0) return copied(new DatabaseSync(":memory:"), path);
    if (await sizeOf(`${path}-shm`) !== null) return new DatabaseSync(path, { readOnly: true });
  } catch (error) {
    throw new Unanswered(told(error));
  }
  throw new Unanswered("its storage was left behind in the middle of a write");
}

function copied(database: DatabaseSync, path: string): DatabaseSync {
  const { size } = statSync(path);
  if (size > max_bytes) throw new Unanswered(`its storage is larger than ${max_bytes} bytes`);
  const bytes = readFileSync(path);
  // In memory there is no log to write ahead into: the copy says of itself that it has none.
  bytes[18] = bytes[19] = 1;
  database.deserialize(bytes);
  return database;
}

async function headerOf(path: string): Promise<Uint8Array> {
  if (await sizeOf(path) === null) throw new Unanswered("there is no such file");
  const file = await open(path, "r");
  try {
    const header = new Uint8Array(100);
    const { bytesRead } = await file.read(header, 0, 100, 0);
    const magic = new TextDecoder().decode(header.subarray(0, 15));
    if (bytesRead < 100 || magic !== "SQLite format 3") {
      throw new Unanswered("it is no SQLite database");
    }
    return header;
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : null;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** What SQLite says, as words for whoever looks; its own text may hold a path. */
function told(error: unknown): string {
  if (error instanceof Unanswered) return error.message;
  const text = error instanceof Error ? error.message : "";
  if (/locked|busy/i.test(text)) return "its storage is locked by a writer";
  if (/no such (table|column)/i.test(text)) return "it has no tables of Huey's";
  if (/malformed|not a database|corrupt/i.test(text)) return "its storage is damaged";
  return "its storage cannot be read";
}
