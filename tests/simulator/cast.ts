/**
 * Who is at the other end. Ids are strings, since two of them differ only beyond 2^53: whoever rounds takes the
 * stranger for the operator.
 */
export type Role = "owner" | "operator" | "reviewer";

export interface Figure {
  name: string;
  id: string;
  /** What they are when a play begins; null for a stranger. */
  role: Role | null;
  /** The person behind the account, where it has a namesake. */
  person: string;
}

const figure = (name: string, id: string, role: Role | null, person = name): Figure => ({
  name,
  id,
  role,
  person,
});

export const cast: readonly Figure[] = [
  figure("olga", "9007199254740993", "operator"),
  figure("pavel", "5000000001", "operator"),
  figure("tom", "5000000002", "operator"),
  figure("tom-owner", "5000000012", "owner", "tom"),
  figure("oskar", "5000000003", "owner"),
  figure("rita", "5000000004", "reviewer"),
  // An operator whose account is one of those that Telegram speaks through; its id changes from play to play.
  figure("anon", "777000", "operator"),
  figure("eve", "9007199254740992", null),
  figure("mallory", "6000000001", null),
];

/** Service notifications, anonymous group admins, channels. */
export const placeholders = ["777000", "1087968824", "136817688"] as const;

export const members = cast.filter((one) => one.role !== null);
export const persons = cast.filter((one) => one.name !== "anon");

export function byName(name: string): Figure {
  const found = cast.find((one) => one.name === name);
  if (!found) throw new Error(`nobody is called ${name}`);
  return found;
}

export const publicChat = "-1007000000001";
export const groupChat = "-1002000000001";
