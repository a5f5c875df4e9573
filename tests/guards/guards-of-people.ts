import { expect } from "vitest";
import { approvedSignal, decide, handle, reserve, update } from "../support/line.ts";
import { all, drop, dropConstraint, given, type Guard, never, refuses, replace } from "./guard.ts";
import {
  newcomer,
  number,
  one,
  removeMember,
  say,
  setPolicy,
  signal,
  statusOfRequest,
  trade,
  yes,
} from "./house.ts";

const requester =
  "p_member.person_id in (v_task.requester_person_id, private.person_of(v_task.actor))";
const filled = (find: string, put = "") => replace("private.slots_filled", find, put);

export const guardsOfPeople: Guard[] = [
  {
    name: "Nobody approves what they asked for",
    promise: "people",
    test: "a yes of the person who asked is refused",
    without: never("private.decide", requester),
    async probe(house) {
      const { code } = await signal(house, { actor: "telegram:1001" });
      refuses(await yes(house, "1001", code), "self_approval");
    },
  },
  {
    name: "One person with two accounts is one person to whom they ask",
    promise: "people",
    test: "a yes of the requester's second account is refused",
    without: replace(
      "private.decide",
      requester,
      "p_member.telegram_user_id = substr(v_task.actor, 10)",
    ),
    async probe(house) {
      const { code } = await signal(house, { actor: "telegram:1004" });
      refuses(await yes(house, "1014", code), "self_approval");
    },
  },
  {
    name: "Whoever asked before they were a member is still the one who asked",
    promise: "people",
    test: "a yes of a requester who was added afterwards is refused",
    without: replace(
      "private.decide",
      requester,
      "p_member.person_id = v_task.requester_person_id",
    ),
    async probe(house) {
      const id = number();
      const { code } = await signal(house, { actor: `telegram:${id}` });
      await house.as("administrator", "select api.add_member($1, 'test')", [
        JSON.stringify({ role: "operator", name: `late${id}`, telegram_user_id: id }),
      ]);
      refuses(await yes(house, id, code), "self_approval");
    },
  },
  {
    name: "An account that comes back is the person who left",
    promise: "people",
    test: "a yes of a requester who left and came back under another name is refused",
    without: replace(
      "api.add_member",
      "m.telegram_user_id = p_member ->> 'telegram_user_id' or m.auth_user_id::text = p_member ->> 'auth_user_id'\n    order by",
      "false order by",
    ),
    async probe(house) {
      const id = await newcomer(house, "operator");
      const { code } = await signal(house, { actor: `tradingview:m${id}` });
      await removeMember(house, id);
      await house.as("administrator", "select api.add_member($1, 'test')", [
        JSON.stringify({ role: "operator", name: `again${id}`, telegram_user_id: id }),
      ]);
      refuses(await yes(house, id, code), "self_approval");
    },
  },
  {
    name: "A person answers a request once (the check and the unique key behind it)",
    promise: "people",
    test: "a second yes of one person, under another account, is refused",
    without: all(
      never("private.decide", "v_earlier.approval_id is not null and not v_takes_back"),
      dropConstraint("public.approvals", "one_decision_of_a_kind_per_person_and_request"),
    ),
    async probe(house) {
      const { code } = await trade(house);
      given(await decide(house, "1004", code));
      refuses(await decide(house, "1024", code), "dual_control_violation");
    },
  },
  {
    name: "Two slots are filled by two persons, also when two accounts turn out to be one person's",
    promise: "people",
    test: "two yeses of people who are one person now fill one slot",
    without: filled("and y.person_id <> all (f.persons)"),
    async probe(house) {
      const [operator, owner] = [await newcomer(house, "operator"), await newcomer(house, "owner")];
      const { code } = await trade(house);
      given(await decide(house, operator, code));
      given(await decide(house, owner, code));
      await house.owner(
        "update public.members set person_id = (select person_id from public.members where telegram_user_id = $1) where telegram_user_id = $2",
        [operator, owner],
      );
      expect(await slotsFilled(house, code)).toBe(false);
    },
  },
  {
    name: "A role answers only for its own slot",
    promise: "people",
    test: "an owner's yes where an operator is asked is refused",
    without: never(
      "private.decide",
      "not exists (select 1 from unnest(v_request.required_slots) s where p_member.role = any (private.slot_roles(s)))",
    ),
    async probe(house) {
      const { code } = await signal(house);
      refuses(await yes(house, "1002", code), "wrong_role");
    },
  },
  {
    name: "Each slot is filled by its own role",
    promise: "people",
    test: "two operators do not open T3",
    without: filled(
      "and y.role = any (private.slot_roles(r.required_slots[f.slot + 1]))",
    ),
    async probe(house) {
      const { code } = await trade(house);
      given(await decide(house, "1001", code));
      given(await decide(house, "1005", code));
      expect(await statusOfRequest(house, code)).toBe("open");
    },
  },
  {
    name: "A reviewer decides nothing, whatever a policy says",
    promise: "people",
    test: "a reviewer's yes is refused even where the policy names that role",
    without: drop("private.slot_roles", "and r in ('owner', 'operator')"),
    async probe(house) {
      const { code } = await signal(house);
      await setPolicy(house, "{roles,operator_approval}", ["operator", "reviewer"]);
      refuses(await yes(house, "1003", code), "wrong_role");
    },
  },
  {
    name: "Whoever is no member is told nothing and commands nothing",
    promise: "people",
    test: "a stranger does not see what is open",
    without: never(
      "private.act_on_intent",
      "p_member.member_id is null",
      " then\n    return private.refuse('not_a_member'",
    ),
    async probe(house) {
      refuses(await say(house, "4711", { type: "pending" }), "not_a_member");
    },
  },
  {
    name: "A removal holds from the next statement",
    promise: "people",
    test: "a yes of a removed member is refused",
    without: replace("private.take_update", "and m.status = 'active';", ";"),
    async probe(house) {
      const id = await newcomer(house, "operator");
      const { code } = await signal(house);
      await removeMember(house, id);
      refuses(await yes(house, id, code), "not_a_member");
    },
  },
  {
    name: "A removed member's yes stops counting",
    promise: "people",
    test: "an effect is not reserved on the yes of a member who was removed",
    without: filled("m.status = 'active' and"),
    async probe(house) {
      const id = await newcomer(house, "operator");
      const { work } = await approvedSignal(house, id);
      await removeMember(house, id);
      refuses(await reserve(house, work), "approval_missing");
    },
  },
  {
    name: "A demoted member's yes stops counting",
    promise: "people",
    test: "an effect is not reserved on the yes of a member who has another role now",
    without: filled("and m.role = a.role"),
    async probe(house) {
      const id = await newcomer(house, "operator");
      const { work } = await approvedSignal(house, id);
      await house.owner("update public.members set role = 'reviewer' where telegram_user_id = $1", [
        id,
      ]);
      refuses(await reserve(house, work), "approval_missing");
    },
  },
  {
    name: "An approver counts only while they are not the person who said no",
    promise: "people",
    test: "a yes does not count beside the same person's no",
    without: filled(
      "from public.approvals n join",
      "from (select * from public.approvals where false) n join",
    ),
    async probe(house) {
      const { code } = await signal(house);
      given(await yes(house, "1001", code));
      await behindNo(house, code, "1001");
      expect(await slotsFilled(house, code)).toBe(false);
    },
  },
  {
    name: "One no ends it",
    promise: "people",
    test: "a yes after somebody's no is refused",
    without: never("private.decide", "p_decision = 'reject'", " then\n    update"),
    async probe(house) {
      const { code } = await signal(house);
      given(await decide(house, "1005", code, "reject"));
      refuses(await yes(house, "1001", code), "request_closed");
    },
  },
  {
    name: "What is decided is not decided again",
    promise: "people",
    test: "a yes to what is decided is refused",
    without: never("private.decide", "v_request.status <> 'open' and not v_takes_back"),
    async probe(house) {
      const { code } = await signal(house);
      given(await yes(house, "1001", code));
      refuses(await yes(house, "1005", code), "request_closed");
    },
  },
  {
    name: "In a private chat the chat is the person",
    promise: "people",
    test: "a yes from a group is refused",
    without: drop(
      "private.take_update",
      "or (v_type not in ('ignored', 'help', 'usage', 'pending', 'status', 'join') and p_update ->> 'chat_id' is distinct from v_from)",
    ),
    async probe(house) {
      const { code } = await signal(house);
      refuses(await yes(house, "1001", code, { chat_id: "-100200" }), "sender_not_personal");
    },
  },
  {
    name: "An update counts once by its id (the look and the primary key behind it)",
    promise: "people",
    test: "an update that comes twice is a duplicate",
    without: all(
      never(
        "private.take_update",
        "exists (select 1 from public.telegram_updates u where u.update_id = p_update ->> 'update_id')",
      ),
      dropConstraint("public.telegram_updates", "telegram_updates_pkey"),
    ),
    async probe(house) {
      const value = update("1001", { type: "help" });
      given(await handle(house, value));
      expect(await handle(house, value)).toMatchObject({ outcome: "duplicate" });
    },
  },
];

const slotsFilled = (house: Parameters<Guard["probe"]>[0], code: string) =>
  one<boolean>(
    house,
    "select private.slots_filled(request_id) as value from public.approval_requests where code = $1",
    [code],
  );

const behindNo = (house: Parameters<Guard["probe"]>[0], code: string, telegram: string) =>
  house.owner(
    `insert into public.approvals (task_id, step_id, tier, approver, decision, request_id, member_id, person_id, role, digest)
     select r.task_id, r.step_id, r.tier, m.name, 'reject', r.request_id, m.member_id, m.person_id, m.role, r.digest
     from public.approval_requests r, public.members m where r.code = $1 and m.telegram_user_id = $2`,
    [code, telegram],
  );
