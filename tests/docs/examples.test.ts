import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAlert } from "../../functions/_domain/alert.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { blocks, page } from "./pages.ts";

/** What TradingView would make of a template. */
const filled = (template: string): string =>
  template.replaceAll(/\{\{([a-z._]+)\}\}/g, (_, name: string) =>
    ({
      ticker: "BTCUSDT",
      exchange: "BINANCE",
      close: "67000.5",
      interval: "15",
      timenow: "2025-09-28T08:45:17Z",
    })[name] ?? "");

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

describe("what the pages tell to paste", () => {
  it("the alert's template is read without a field left over, and each firing has its own id", () => {
    const [template] = blocks(page("docs/go-live.md"), "json");
    const read = parseAlert(filled(template));
    expect(read).toMatchObject({
      ok: true,
      alert: {
        kind: "entry",
        symbol: "BTCUSDT",
        side: "long",
        price: "67000.5",
        stop_loss_pct: "1",
        take_profit_pct: "2",
        alert_id: "BTCUSDT-15-2025-09-28T08:45:17Z",
        alert_time: "2025-09-28T08:45:17.000Z",
        unknown_fields: [],
      },
    });
  });

  it("the strategy's fields are read too, and a close is an update", () => {
    const text = page("docs/go-live.md");
    const values: Record<string, string> = {
      "strategy.order.action": "sell",
      "strategy.order.price": "68000",
      "strategy.market_position": "flat",
      "strategy.prev_market_position": "long",
      "strategy.order.contracts": "0.5",
      "strategy.order.comment": "done",
    };
    const fields = [...text.matchAll(/`("[a-z_]+": "\{\{strategy\.[a-z_.]+\}\}")`/g)].map((
      [, field],
    ) => field);
    expect(fields).toHaveLength(6);
    const body = `{"symbol":"BTCUSDT",${fields.join(",")}}`
      .replaceAll(/\{\{([a-z._]+)\}\}/g, (_, name: string) => values[name]);
    expect(parseAlert(body)).toMatchObject({
      ok: true,
      alert: { side: "long", price: "68000", size: "0.5", note: "done", unknown_fields: [] },
    });
    expect(parseAlert(body)).not.toMatchObject({ alert: { kind: "entry" } });
  });

  it("the first alert of a deployment is an entry with every figure", () => {
    const [, body] = /-d '(\{"symbol".*\})'/.exec(page("docs/deploy.md")) ?? [];
    expect(parseAlert(body)).toMatchObject({
      ok: true,
      alert: {
        kind: "entry",
        price: "67000",
        stop_loss: "66000",
        take_profits: ["69500"],
        alert_id: "first",
        unknown_fields: [],
      },
    });
  });

  it("the mirror's copy takes a manifest in, follows it, and keeps the last one when it is empty", async () => {
    const text =
      blocks(page("docs/WRAPPERS_INTEGRATION.md"), "sql").find((sql) =>
        sql.includes("mirror.sync()")
      ) ?? "";
    await db.owner("create schema mirror");
    await db.owner(
      "create table mirror.manifest (path text, size_bytes text, modified_at text, etag text, mime text)",
    );
    for (const sql of text.split(/(?<=\$\$;)\s*|(?<=from public;)\s*/).slice(0, 2)) {
      await db.owner(sql);
    }
    const sync = async () => {
      await db.owner("select mirror.sync()");
      return await db.owner(
        "select object_key, size_bytes, etag from public.one_drive_assets order by object_key",
      );
    };
    await db.owner(
      "insert into mirror.manifest values ('dags/a.json', '12', '2025-09-28T08:00:00Z', 'e1', ''), ('dags/b.json', '', null, 'e2', '')",
    );
    expect(await sync()).toMatchObject([{ object_key: "dags/a.json", etag: "e1" }, {
      object_key: "dags/b.json",
      size_bytes: null,
    }]);
    await db.owner("delete from mirror.manifest where path = 'dags/b.json'");
    await db.owner("update mirror.manifest set etag = 'e9'");
    expect(await sync()).toMatchObject([{ object_key: "dags/a.json", etag: "e9" }]);
    await db.owner("delete from mirror.manifest");
    expect(await sync()).toHaveLength(1);
  });

  it("an auditor's login reads every table and writes none, also after it resets its settings", async () => {
    const [sql] = blocks(page("docs/security.md"), "sql");
    // A login belongs to the server, where an earlier run may have left it.
    await db.owner("drop role if exists auditor_jane");
    for (const statement of sql.split(";").map((part) => part.trim()).filter(Boolean)) {
      await db.owner(statement);
    }
    expect(await db.as("auditor_jane", "select count(*)::int as tasks from public.tasks")).toEqual([
      { tasks: 0 },
    ]);
    for (
      const write of [
        "delete from public.tasks",
        "insert into public.jobs (job_name, every_seconds) values ('x', 1)",
        "truncate public.events",
      ]
    ) {
      await expect(db.as("auditor_jane", write)).rejects.toThrow(/permission denied/);
    }
    await expect(db.as("auditor_jane", "select api.sweep()")).rejects.toThrow(/permission denied/);
    await expect(db.as("auditor_jane", "select * from private.transitions")).rejects.toThrow(
      /permission denied/,
    );
  });
});
