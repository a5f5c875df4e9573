import { expect } from "vitest";
import { all, forbids, type Guard, statement } from "./guard.ts";
import type { House } from "./house.ts";

const denied = "42501";
const looker = (house: House, question: string) => house.as("command_center", question);

export const guardsOfLooking: Guard[] = [
  {
    name: "Who looks can change no job",
    promise: "looking",
    test: "may write no table, no column and no sequence anywhere",
    without: all(
      statement("grant update on public.jobs to command_center"),
      statement("create policy planted on public.jobs to command_center using (true)"),
    ),
    probe: (house) =>
      forbids(denied, () => looker(house, "update public.jobs set enabled = enabled")),
  },
  {
    name: "Who looks calls no command",
    promise: "looking",
    test: "may call two functions of ours, and both only tell",
    without: statement("grant execute on function api.sweep() to command_center"),
    probe: (house) => forbids(denied, () => looker(house, "select api.sweep()")),
  },
  {
    name: "Who looks reads no nonce of a request",
    promise: "looking",
    test: "the nonce of a request is refused to who looks",
    without: statement("grant select (nonce) on public.approval_requests to command_center"),
    probe: (house) =>
      forbids(denied, () => looker(house, "select nonce from public.approval_requests")),
  },
  {
    name: "Who looks reads no artifact's text",
    promise: "looking",
    test: "the text of an artifact is refused to who looks",
    without: statement("grant select (content) on public.artifacts to command_center"),
    probe: (house) => forbids(denied, () => looker(house, "select content from public.artifacts")),
  },
  {
    name: "A view of the command center shows what its reader may read, and no more",
    promise: "looking",
    test: "keeps nothing of its own: its schema has views and no table",
    without: statement("alter view command_center.signals set (security_invoker = false)"),
    async probe(house) {
      const views = await house.owner(
        `select c.relname from pg_class c where c.relnamespace = 'command_center'::regnamespace
         and not coalesce('security_invoker=true' = any (c.reloptions), false)`,
      );
      expect(views).toEqual([]);
    },
  },
  {
    name: "A stop whose row is missing is not shown as running",
    promise: "looking",
    test: "a stop without its row is unknown",
    without: async (house) => {
      await house.owner(
        `create or replace view command_center.stops with (security_invoker = true) as
         select s.scope, coalesce(e.state, 'running') as state, e.changed_at, e.changed_by, e.reason
         from (values ('all'), ('t3')) s (scope) left join public.emergency_stops e using (scope)`,
      );
    },
    async probe(house) {
      await house.owner("set session_replication_role = replica");
      try {
        await house.owner("delete from public.emergency_stops where scope = 't3'");
        const [row] = await looker(
          house,
          "select state from command_center.stops where scope = 't3'",
        );
        expect(row).toEqual({ state: "unknown" });
      } finally {
        await house.owner(
          `insert into public.emergency_stops (scope, state, changed_by, reason) values ('t3', 'running', 'test', 'put back')
           on conflict (scope) do nothing`,
        );
        await house.owner("set session_replication_role = origin");
      }
    },
  },
];
