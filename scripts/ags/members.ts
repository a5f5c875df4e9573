import { Sentence } from "../stack/sentence.ts";
import { enroll } from "./enroll.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { showObjects } from "./output.ts";

export interface MemberOptions {
  role?: string;
  telegram?: string[];
  name?: string[];
  person?: string[];
  json?: boolean;
}

type Member = Record<string, unknown> & { name: string; role: string };

const columns = [
  "name",
  "role",
  "telegram_user_id",
  "added_at",
  "second_factor_since",
  "unreachable_since",
];

const administer = async <T>(name: string, args: Record<string, unknown> = {}): Promise<T> =>
  unlessRefused(await ask<T>("administer", { name, args }));

export async function members(
  what: string,
  who: string | undefined,
  options: MemberOptions,
): Promise<void> {
  const json = options.json === true;
  if (what === "list") {
    return showObjects(await administer<Member[]>("list_members"), columns, json);
  }
  if (what === "add") {
    const added = await administer<Member>("add_member", {
      p_member: memberOf(who, options),
      p_actor: actor(),
    });
    return tell(added, `${added.name} is now ${added.role}. Every owner is told.`, json);
  }
  if (what === "enroll") {
    const enrolled = await enroll(named(what, who, options));
    return tell(enrolled, `${enrolled.name} has an authenticator. Every owner is told.`, json);
  }
  if (what === "unenroll") {
    const name = named(what, who, options);
    const args = { p_member: name, p_actor: actor() };
    const removed = await administer<Member>("remove_second_factor", args);
    return tell(removed, `${removed.name} has no authenticator. Every owner is told.`, json);
  }
  if (what === "remove") {
    const name = named(what, who, options);
    const removed = await administer<Member>("remove_member", { p_member: name, p_actor: actor() });
    return tell(removed, `${removed.name} decides nothing any more. Every owner is told.`, json);
  }
  throw new Sentence(`members does not know "${what}": add, list, remove, enroll or unenroll.`);
}

function named(what: string, who: string | undefined, { name }: MemberOptions): string {
  const called = who ?? name?.[0];
  if (!called) throw new Sentence(`Say who: members ${what} <name>`);
  return String(called);
}

const tell = (member: Member, sentence: string, json: boolean): void =>
  console.log(json ? JSON.stringify(member) : sentence);

function memberOf(who: string | undefined, { role, telegram, name, person }: MemberOptions) {
  const called = name?.[0] ?? who;
  if (!role || !called) {
    throw new Sentence(
      "A member needs --role (owner, operator or reviewer) and --name; whoever decides also --telegram <numeric id>.",
    );
  }
  return {
    role,
    name: String(called),
    ...(telegram?.[0] === undefined ? {} : { telegram_user_id: String(telegram[0]) }),
    ...(person?.[0] === undefined ? {} : { person: String(person[0]) }),
  };
}
