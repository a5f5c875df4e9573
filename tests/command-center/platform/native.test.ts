import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Books } from "../../../command-center/platform/books.ts";
import { guardedBooks } from "../../../command-center/platform/guarded-books.ts";
import { platformKpis } from "../../../command-center/platform/kpis.ts";
import { postgresBooks } from "../../../command-center/platform/postgres-books.ts";
import { platformTask } from "../../../command-center/platform/task.ts";
import { lookAtAll, lookAtBoard } from "../../../command-center/server/look.ts";
import { askedOf } from "../../../command-center/views/asked.ts";
import { briefOf } from "../../../command-center/views/brief.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../../support/native.ts";
import { emptyOutside } from "../support/outside.ts";
import { plantRows } from "../support/planted.ts";

onNativePostgres("the command center on a Postgres of your own", () => {
  let db: NativeDatabase;
  let owner: postgres.Sql;
  let bare: Books;
  let books: Books;
  beforeAll(async () => {
    db = await openNativeDatabase();
    owner = postgres(db.ownerUrl, { max: 1, onnotice: () => {} });
    await plantRows({ pg: { exec: (statements) => owner.unsafe(statements).simple() } });
    await owner.unsafe("reset role");
    bare = postgresBooks(db.ownerUrl);
    books = guardedBooks(bare, () => new Date());
  });
  afterAll(async () => {
    await bare.close();
    await owner.end();
    await db.close();
  });

  it("stands at its role on every connection, and cannot write on any", async () => {
    const [who] = await bare.read((ask) => ask("select current_user as role"));
    expect(who).toEqual({ role: "command_center" });
    await expect(bare.read((ask) => ask("create table public.planted (id int)"))).rejects.toThrow();
    await expect(bare.read((ask) => ask("update public.jobs set enabled = false"))).rejects
      .toMatchObject({ code: "25006" });
  });

  it("sees every view live, with what is there", async () => {
    const asked = askedOf(new URL("http://127.0.0.1/command"));
    const views = await lookAtAll({ books, outside: emptyOutside, now: new Date(), asked });
    expect(briefOf(views).blind).toEqual([]);
    expect(views.agents.rows.length).toBeGreaterThan(4);
    expect(views.reviews.requests.map(({ code }) => code.value)).toEqual(["T3-20261121-0002"]);
    expect(views.jobs.rows.map(({ name }) => name.value)).toContain("prune_history");
    const lanes = Object.fromEntries(
      views.board.lanes.map(({ lane, count }) => [lane, count.value]),
    );
    expect(lanes).toEqual({
      unassigned: 2,
      assigned: 1,
      "in progress": 1,
      blocked: 2,
      "in review": 2,
    });
  });

  it("searches, and takes a wild card for the sign that it is", async () => {
    const board = async (query: string) => {
      const asked = askedOf(new URL(`http://127.0.0.1/command/board?q=${query}`));
      const { lanes } = await lookAtBoard({ books, outside: emptyOutside, now: new Date(), asked });
      return lanes.flatMap(({ cards }) => cards.map(({ id }) => id.value));
    };
    expect(await board("ETHusdt")).toEqual(["T-2026-11-21-0002"]);
    expect(await board("%25")).toEqual([]);
  });

  it("reads a task and the figures", async () => {
    const signal = AbortSignal.timeout(10_000);
    const task = await platformTask(books, "T-2026-11-21-0002").read(new Date(), signal);
    expect(task).toMatchObject({ status: "live", value: [{ steps: { length: 6 } }] });
    const kpis = await platformKpis(books, "24 h").read(new Date(), signal);
    expect(kpis).toMatchObject({ status: "live", value: { window: "24 h" } });
  });

  it("is answered by a login of its own that may become it, and by no other", async () => {
    await owner.unsafe("drop role if exists center_of_a_test");
    await owner.unsafe("create role center_of_a_test login noinherit password 'for-a-test'");
    const url = new URL(db.ownerUrl);
    url.username = "center_of_a_test";
    url.password = "for-a-test";
    const stranger = postgresBooks(url.href);
    await expect(stranger.read((ask) => ask("select 1"))).rejects.toThrow(/command_center/);
    await stranger.close();
    await owner.unsafe("grant command_center to center_of_a_test");
    const center = postgresBooks(url.href);
    const [row] = await center.read((ask) =>
      ask("select count(*)::int as jobs from command_center.jobs")
    );
    expect(row).toMatchObject({ jobs: expect.any(Number) });
    await center.close();
    await owner.unsafe("drop role center_of_a_test");
  });
});

describe("the command center's own database", () => {
  it("is told by a sentence when it does not answer", async () => {
    const books = postgresBooks("postgres://center@127.0.0.1:1/none");
    const reading = await platformKpis(books, "24 h").read(new Date(), AbortSignal.timeout(10_000));
    expect(reading).toMatchObject({
      status: "unknown",
      reason: "the database does not answer (ECONNREFUSED)",
    });
    await books.close();
  });
});
