import { describe, expect, it } from "vitest";
import { requireLeastPrivilege } from "../../../scripts/stack/server.ts";
import type { Store } from "../../../scripts/stack/store.ts";

const storeThatIs = (identity: unknown): Store =>
  ({
    database: { call: () => Promise.resolve(identity), close: () => Promise.resolve() },
  }) as unknown as Store;

const least = { role: "service_role", superuser: false, writable_tables: [] };

describe("the server, before it serves", () => {
  it("refuses a role that is not service_role", async () => {
    await expect(requireLeastPrivilege(storeThatIs({ ...least, role: "postgres" }))).rejects
      .toThrow(
        /least_privilege.*the role is postgres/,
      );
  });

  it("refuses a superuser", async () => {
    await expect(requireLeastPrivilege(storeThatIs({ ...least, superuser: true }))).rejects.toThrow(
      /superuser/,
    );
  });

  it("refuses a role that can write a table directly, and names it", async () => {
    await expect(
      requireLeastPrivilege(storeThatIs({ ...least, writable_tables: ["public.tasks"] })),
    ).rejects.toThrow(
      /public\.tasks/,
    );
  });

  it("serves as service_role that writes through functions alone", async () => {
    await expect(requireLeastPrivilege(storeThatIs(least))).resolves.toBeUndefined();
  });
});
