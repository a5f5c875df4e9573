import type { TestDatabase } from "./database.ts";
import { activate, addMember } from "./line.ts";

const members = [
  ["operator", "olga", "1001"],
  ["owner", "oskar", "1002"],
  ["reviewer", "rita", "1003"],
  ["operator", "tom", "1004"],
  ["operator", "tom-phone", "1014", "tom"],
  ["owner", "tom-owner", "1024", "tom"],
  ["operator", "pia", "1005"],
];

/**
 * The shipped policy in force, and members of every kind: olga, tom and pia are operators, oskar an owner, rita a
 * reviewer; tom has three accounts, one of them an owner's.
 */
export async function household(db: TestDatabase): Promise<void> {
  await activate(db);
  for (const [role, name, telegram, person] of members) {
    const { refused } = await addMember(db, role, name, telegram, person);
    if (refused) throw new Error(`${name} was not added: ${refused}`);
  }
}
