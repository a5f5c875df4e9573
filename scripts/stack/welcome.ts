import type { Stack } from "./stack.ts";

const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** Ten characters that nobody mistakes for another: 50 bits, for one use within a week. */
export const pairingCode = (): string =>
  [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => alphabet[byte % 32]).join("");

/** Only the hash is kept; a code that was lost is replaced at the next start, as long as there is no owner. */
async function firstOwnerCode({ store }: Stack): Promise<string | null> {
  const code = pairingCode();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code));
  const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
  const { needed } = await store.administer<{ needed: boolean }>("create_pairing_code", {
    p_code_sha256: hash,
  });
  return needed ? code : null;
}

/** What a person needs to know once the platform answers. No token is printed: a terminal's history lives long. */
export async function welcome(stack: Stack): Promise<string> {
  const { url, environment, secrets, store, lock, polls, pages, wiring } = stack;
  const code = await firstOwnerCode(stack);
  const { policy_sha256: active } = await store.database.call<{ policy_sha256: string | null }>(
    "health",
  );
  const bot = environment.telegram.botToken !== null;
  const kept = secrets.made.length > 0 ? `made now: ${secrets.made.join(", ")}` : "as before";
  return [
    "",
    `Dynamic AGS answers on ${url}`,
    `  alerts     POST ${url}/functions/v1/intake/tradingview/<token>`,
    `  health     GET  ${url}/functions/v1/dags-domain-health`,
    `  operators  ${pages ?? "npm run command-center"}, read-only`,
    `  tokens     ${secrets.path} (${kept}); what the environment sets wins`,
    `  database   ${
      store.kind === "embedded"
        ? "embedded: survives a killed process, not a power cut; keep backups"
        : "DATABASE_URL"
    }` +
    (store.applied.length > 0 ? `; ${store.applied.length} migrations applied` : ""),
    `  Telegram   ${
      bot
        ? polls ? "the bot polls" : "the bot waits for its webhook"
        : "no TELEGRAM_BOT_TOKEN: messages are printed here and kept in the outbox"
    }`,
    ...(lock.takenOver
      ? ["  The last process ended without closing; its lock was taken over and its work goes on."]
      : []),
    ...(wiring.policy.ok
      ? active === wiring.policy.sha256 ? [] : [
        "  The active policy is not the one in policies/policy.yaml: nothing is planned or decided until",
        "  it is approved: npm run ags -- policy status, and policy propose from the release that carries the active one",
      ]
      : [`  policies/policy.yaml cannot be read: ${wiring.policy.reason}`]),
    ...(code === null ? [] : [
      "",
      "Nobody owns this platform yet.",
      ...ownerSteps(bot, store.kind === "embedded", code),
    ]),
    ...(code === null ? ["", "Next: send an alert, or look around: npm run ags -- --help"] : []),
    "",
  ].join("\n");
}

const addOperator = (id: string, name: string): string =>
  `npm run ags -- members add --role operator --telegram ${id} --name ${name}`;

function ownerSteps(bot: boolean, embedded: boolean, code: string): string[] {
  if (bot) {
    return [
      `  1. Write to your bot:  /start ${code}  (once, within 7 days)`,
      `  2. Add who decides:    ${addOperator("<id>", "<name>")}`,
    ];
  }
  return [
    `  1. Add who decides:    ${addOperator("1001", "otto")}`,
    embedded
      ? "  2. Send an alert, then npm run ags -- approve <code> yes --as otto"
      : "  2. Set TELEGRAM_BOT_TOKEN: on a Postgres of your own only people in Telegram decide",
    `  With a bot later:      /start ${code}  makes its sender the owner (once, within 7 days)`,
  ];
}
