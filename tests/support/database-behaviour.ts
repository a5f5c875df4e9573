import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, DatabaseError } from "../../functions/_database/database.ts";

/**
 * A small schema `api` on a platform that has been set up: what crosses the wire, and what may go wrong there.
 * Transports are compared on it, since the real commands give them fewer odd values.
 */
export const probeSchema = `
  create schema api;
  grant usage on schema api to service_role;
  create table public.probes (id int primary key, mark int not null,
    constraint mark_is_between_0_and_2 check (mark between 0 and 2));
  create function api.echo(p_value jsonb default '"default"') returns jsonb language sql
    as 'select jsonb_build_object(''value'', p_value)';
  create function api.typed(p_text text, p_number numeric, p_integer int, p_flag boolean, p_list text[], p_id uuid, p_json jsonb)
    returns jsonb language sql as
    'select jsonb_build_object(''text'', p_text, ''number'', p_number::text, ''integer'', p_integer, ''flag'', p_flag,
      ''list'', to_jsonb(p_list), ''id'', p_id, ''json'', p_json)';
  create function api.add_probe(p_id int, p_mark int) returns jsonb language sql security definer as
    'insert into public.probes values (p_id, p_mark) returning to_jsonb(probes)';
  create function api.guarded() returns jsonb language plpgsql as
    'begin raise exception ''illegal_transition: no such edge'' using errcode = ''AGTRN''; end';
  create function api.locked() returns jsonb language sql as 'select ''1''::jsonb';
  create function api.whoami() returns jsonb language sql as 'select to_jsonb(current_user::text)';
  revoke execute on all functions in schema api from public;
  grant execute on all functions in schema api to service_role;
  revoke execute on function api.locked() from service_role;`;

/** The behaviour every transport has. `open` gives one whose database holds `probeSchema`. */
export function behavesAsDatabase(name: string, open: () => Promise<Database>): void {
  describe(`${name}, as a database`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await open();
    });
    afterAll(() => database?.close());

    const failure = async (call: string, args?: Record<string, unknown>) => {
      const error = await database.call(call, args).then(() => null, (thrown) => thrown);
      expect(error).toBeInstanceOf(DatabaseError);
      return error as DatabaseError;
    };

    it("tells which constraint was violated, by its sentence", async () => {
      const error = await failure("add_probe", { p_id: 1, p_mark: 3 });
      expect([error.code, error.constraint]).toEqual(["23514", "mark_is_between_0_and_2"]);
    });

    it("keeps the code that one of our guards raised", async () => {
      const error = await failure("guarded");
      expect([error.code, error.message]).toEqual(["AGTRN", "illegal_transition: no such edge"]);
    });

    it("refuses a function that is not granted, does not exist or is called otherwise", async () => {
      expect((await failure("locked")).code).toBe("42501");
      expect((await failure("nothing")).code).toBe("42883");
      expect((await failure("echo", { p_other: 1 })).code).toBe("42883");
    });

    it("refuses a value that the declared type does not have", async () => {
      expect((await failure("add_probe", { p_id: "one", p_mark: 1 })).code).toBe("22P02");
    });

    it("runs as service_role, which cannot be changed from a call", async () => {
      expect(await database.call("whoami")).toBe("service_role");
    });

    it.each([
      [null],
      [true],
      [0],
      [-1.5],
      ["plain"],
      [""],
      ['"quoted" \\ {brace} \n ünïcode 🙂'],
      ["null"],
      ["{}"],
      [[]],
      [[1, "two", null, [3]]],
      [{ a: { b: ["c"] } }],
    ])("brings %j there and back as JSON", async (value) => {
      expect(await database.call("echo", { p_value: value })).toEqual({ value });
    });

    it("leaves an undefined argument to the function's default", async () => {
      expect(await database.call("echo", { p_value: undefined })).toEqual({ value: "default" });
    });

    it("brings each type there and back, decimals to the last digit", async () => {
      const sent = {
        p_text: "it's",
        p_number: "12345678901234567890.000000000000000001",
        p_integer: 7,
        p_flag: false,
        p_list: ["a", 'b"c', "d,e", "", "null", "{f}", "g\\h"],
        p_id: "6a1f2f0e-7a57-4b0c-9c55-6f6f2b7b2c11",
        p_json: ["x", null],
      };
      expect(await database.call("typed", sent)).toEqual({
        text: sent.p_text,
        number: sent.p_number,
        integer: 7,
        flag: false,
        list: sent.p_list,
        id: sent.p_id,
        json: sent.p_json,
      });
    });

    it("brings a null of any type there", async () => {
      const nothing = Object.fromEntries(
        ["text", "number", "integer", "flag", "list", "id", "json"].map((
          key,
        ) => [`p_${key}`, null]),
      );
      const back = await database.call<Record<string, unknown>>("typed", nothing);
      expect(Object.values(back).every((value) => value === null)).toBe(true);
    });

    it("keeps a hundred calls at once apart, the failing ones too", async () => {
      const answers = await Promise.all(
        Array.from(
          { length: 100 },
          (_, i) =>
            i % 5 === 0
              ? database.call("guarded").catch((error) => error.code)
              : database.call("echo", { p_value: i }),
        ),
      );
      answers.forEach((answer, i) => expect(answer).toEqual(i % 5 === 0 ? "AGTRN" : { value: i }));
    });
  });
}
