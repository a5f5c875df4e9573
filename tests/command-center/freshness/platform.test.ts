import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Books } from "../../../command-center/platform/books.ts";
import { embeddedBooks } from "../../../command-center/platform/embedded-books.ts";
import { postgresBooks } from "../../../command-center/platform/postgres-books.ts";
import { lookAtAll } from "../../../command-center/server/look.ts";
import { askedOf } from "../../../command-center/views/asked.ts";
import { briefOf } from "../../../command-center/views/brief.ts";
import { freezeClock } from "../../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { clockUnder, type Condition, faults } from "../support/faults.ts";

let db: TestDatabase;
beforeEach(async () => {
  db = await openTestDatabase();
});
afterEach(() => db.close());

const asked = askedOf(new URL("http://127.0.0.1/command"));

const brief = async (books: Books) =>
  briefOf(
    await lookAtAll({
      books,
      asked,
      now: new Date(),
      outside: { agents: [], pulls: [], cards: [], jobs: [] },
    }),
  );

/** A port that takes a connection and says nothing, or, with nobody behind it, none. */
async function silentPort(listens: boolean): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  if (!listens) await close();
  return { port: address.port, close: listens ? close : () => Promise.resolve() };
}

async function under(condition: Condition) {
  if (condition === "down" || condition === "slow") {
    const { port, close } = await silentPort(condition === "slow");
    const books = postgresBooks(`postgres://center@127.0.0.1:${port}/none`);
    try {
      return await brief(books);
    } finally {
      await close();
      await books.close();
    }
  }
  if (condition === "malformed") {
    await db.owner("alter view command_center.signals rename column goal to purpose");
    await db.owner("alter view command_center.jobs rename column every_seconds to pace");
  } else if (condition !== "well" && condition !== "empty") {
    await freezeClock(db, clockUnder(condition).toISOString());
  }
  return await brief(embeddedBooks(db.pg));
}

const named = (notes: readonly { source: string }[]): string[] => notes.map(({ source }) => source);

describe("the platform's database", () => {
  it("is live with nothing in it when it is empty", async () => {
    const { tiles, blind, doubtful } = await under("empty");
    expect(named([...blind, ...doubtful])).not.toContain("postgres");
    expect(tiles.find(({ href }) => href === "/command/board")?.value)
      .toMatchObject({ freshness: "live", source: "postgres", reason: null });
  });

  it.each(faults)("is never green when it is: %s; the brief names it", async (fault) => {
    const told = await under(fault);
    expect(named([...told.blind, ...told.doubtful])).toContain("postgres");
    expect(["good", "quiet"]).not.toContain(told.overall.level);
    for (const { name, level, value } of told.tiles) {
      if (fault === "malformed" && value.freshness === "live") continue;
      expect({ name, level }).not.toEqual({ name, level: "good" });
      expect({ name, freshness: value.freshness }).not.toEqual({ name, freshness: "live" });
    }
  });
});
