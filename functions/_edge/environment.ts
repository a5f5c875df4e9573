import { z } from "zod";
import { type IntakeToken, intakeTokens } from "./intake-tokens.ts";

/**
 * The one file that reads variables. A value is either what it should be or a sentence that says what to set;
 * nothing is guessed. Unset and empty are the same. What the local stack can generate it generates before it reads.
 */
export interface Environment {
  port: number;
  databaseUrl: string | null;
  dataDir: string;
  intakeTokens: IntakeToken[];
  serviceToken: string | null;
  telegram: {
    botToken: string | null;
    apiRoot: string;
    webhookSecret: string | null;
    chatId: string | null;
    /** Null when unset: `npm start` then polls if there is a bot token; a deployed function has the webhook. */
    mode: "webhook" | "polling" | null;
  };
  llm: { baseUrl: string; model: string; apiKey: string | null; fastModel: string | null } | null;
  supabase: { url: string; secretKey: string } | null;
  /** What decisions are signed with and second factors are kept under: base64 of 32 bytes each. */
  keys: { signing: string | null; secondFactor: string | null };
  quoteUrl: string;
  /** The broker bridge that the user owns; null where no order can leave the house. */
  bridge: { url: string; secret: string } | null;
  ton: {
    apiUrl: string;
    apiKey: string | null;
    webhookToken: string | null;
    wallet: string | null;
  };
  vipChatId: string | null;
  /** Steps at once in one `npm run worker`. */
  workerConcurrency: number;
  /** Short-term memory, limits and the relay of the events; null where the database does all of it. */
  redisUrl: string | null;
  /** The external mirror's share; null where there is none, and health then does not know of one. */
  mirrorShareId: string | null;
}

export type Reading =
  | { ok: true; environment: Environment; warnings: string[] }
  | { ok: false; problems: string[] };

const webUrl = (value: string): boolean => {
  const url = URL.canParse(value) ? new URL(value) : null;
  return url !== null && (url.protocol === "http:" || url.protocol === "https:");
};
const postgresUrl = (value: string): boolean =>
  /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
const redisUrl = (value: string): boolean => /^rediss?:\/\//.test(value) && URL.canParse(value);
const root = (value: string): string => value.replace(/\/+$/, "");

const port = "PORT must be a number from 0 to 65535, such as 54321";
const concurrency = "WORKER_CONCURRENCY must be a number from 1 to 100, such as 10";
const bearer =
  "must be printable ASCII without spaces, since it travels in a header; set a long random one";

const key32 = (name: string) =>
  z.string().regex(
    /^[A-Za-z0-9+/]{43}=$/,
    `${name} must be the base64 of 32 random bytes: openssl rand -base64 32`,
  );

const variables = z.object({
  PORT: z.string().regex(/^\d{1,5}$/, port).transform(Number).refine((n) => n <= 65535, port)
    .default(54321),
  DATABASE_URL: z.string().refine(
    postgresUrl,
    "DATABASE_URL must be a postgres:// address; leave it unset for the embedded database",
  ).optional(),
  DATA_DIR: z.string().refine((path) => !path.includes("\0"), "DATA_DIR must be a directory's path")
    .default(".local"),
  INTAKE_TOKENS: z.string().default("").transform(intakeTokens),
  SERVICE_TOKEN: z.string().regex(/^[!-~]+$/, `SERVICE_TOKEN ${bearer}`).optional(),
  TELEGRAM_BOT_TOKEN: z.string().regex(
    /^\d+:[\w-]+$/,
    "TELEGRAM_BOT_TOKEN must look like 123456:ABC-def, as BotFather printed it",
  ).optional(),
  TELEGRAM_API_ROOT: z.string().refine(
    webUrl,
    "TELEGRAM_API_ROOT must be an http(s) address; leave it unset for Telegram's own",
  ).default("https://api.telegram.org").transform(root),
  TELEGRAM_WEBHOOK_SECRET: z.string().regex(
    /^[\w-]{1,256}$/,
    "TELEGRAM_WEBHOOK_SECRET must be 1 to 256 of A-Z, a-z, 0-9, _ and -",
  ).optional(),
  TELEGRAM_CHAT_ID: z.string().regex(
    /^(-?[1-9]\d{0,15}|@[A-Za-z]\w{4,31})$/,
    "TELEGRAM_CHAT_ID must be a chat's numeric id or a channel's @name",
  ).optional(),
  TELEGRAM_MODE: z.enum(["webhook", "polling"], "TELEGRAM_MODE must be webhook or polling")
    .optional(),
  LLM_BASE_URL: z.string().refine(
    webUrl,
    "LLM_BASE_URL must be the http(s) address of an OpenAI-compatible API, such as one ending in /v1",
  ).transform(root).optional(),
  LLM_MODEL: z.string().max(200, "LLM_MODEL must be the name of a model").optional(),
  LLM_FAST_MODEL: z.string().max(200, "LLM_FAST_MODEL must be the name of a model").optional(),
  LLM_API_KEY: z.string().regex(/^[!-~]+$/, `LLM_API_KEY ${bearer}`).optional(),
  SUPABASE_URL: z.string().refine(webUrl, "SUPABASE_URL must be the project's http(s) address")
    .transform(root).optional(),
  SUPABASE_SECRET_KEYS: z.string().transform((text, context) => {
    const key = defaultKey(text);
    if (key === null) {
      context.addIssue(
        'SUPABASE_SECRET_KEYS must be a JSON object such as {"default":"sb_secret_…"}',
      );
    }
    return key ?? z.NEVER;
  }).optional(),
  SUPABASE_SERVICE_ROLE_KEY: z.string().optional(),
  APPROVAL_SIGNING_KEY: key32("APPROVAL_SIGNING_KEY").optional(),
  SECOND_FACTOR_KEY: key32("SECOND_FACTOR_KEY").optional(),
  QUOTE_URL: z.string().refine(
    webUrl,
    "QUOTE_URL must be an http(s) address; leave it unset for Binance's own",
  )
    .default("https://api.binance.com").transform(root),
  BROKER_BRIDGE_URL: z.string().refine(webUrl, "BROKER_BRIDGE_URL must be an http(s) address")
    .transform(root).optional(),
  BROKER_BRIDGE_SECRET: z.string().regex(
    /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/,
    "BROKER_BRIDGE_SECRET must be whsec_ and the base64 of at least 24 bytes",
  ).optional(),
  TON_API_URL: z.string().refine(
    webUrl,
    "TON_API_URL must be an http(s) address; leave it unset for tonapi.io",
  )
    .default("https://tonapi.io").transform(root),
  TON_API_KEY: z.string().regex(/^[!-~]+$/, `TON_API_KEY ${bearer}`).optional(),
  TON_WEBHOOK_TOKEN: z.string().regex(/^[!-~]{16,}$/, `TON_WEBHOOK_TOKEN ${bearer}`).optional(),
  TON_WALLET: z.string().regex(
    /^(-1|0):[0-9a-f]{64}$/,
    "TON_WALLET must be the wallet's raw form, such as 0:83df…, not a friendly address",
  ).optional(),
  VIP_CHAT_ID: z.string().regex(
    /^-[1-9]\d{0,15}$/,
    "VIP_CHAT_ID must be the group's numeric id, such as -1001234567890",
  ).optional(),
  WORKER_CONCURRENCY: z.string().regex(/^([1-9]\d?|100)$/, concurrency).transform(Number)
    .default(10),
  REDIS_URL: z.string().refine(
    redisUrl,
    "REDIS_URL must be a redis:// or rediss:// address; leave it unset to do without Redis",
  ).optional(),
  ONE_DRIVE_SHARE_ID: z.string().regex(
    /^[\w-]{1,128}$/,
    "ONE_DRIVE_SHARE_ID must be the id from the mirror's share link",
  ).optional(),
}).superRefine((env, context) => {
  if ((env.LLM_BASE_URL === undefined) !== (env.LLM_MODEL === undefined)) {
    context.addIssue(
      "LLM_BASE_URL and LLM_MODEL belong together: set both, or neither to do without a judge",
    );
  }
  if ((env.BROKER_BRIDGE_URL === undefined) !== (env.BROKER_BRIDGE_SECRET === undefined)) {
    context.addIssue(
      "BROKER_BRIDGE_URL and BROKER_BRIDGE_SECRET belong together: set both, or neither",
    );
  }
  if ((env.TON_WEBHOOK_TOKEN === undefined) !== (env.TON_WALLET === undefined)) {
    context.addIssue("TON_WEBHOOK_TOKEN and TON_WALLET belong together: set both, or neither");
  }
  if (env.TELEGRAM_MODE === "polling" && env.TELEGRAM_BOT_TOKEN === undefined) {
    context.addIssue(
      "TELEGRAM_MODE=polling needs TELEGRAM_BOT_TOKEN: set it, or leave TELEGRAM_MODE unset",
    );
  }
});

/** The project's key dictionary names its keys; a new project has one, called default. */
function defaultKey(text: string): string | null {
  let keys: unknown;
  try {
    keys = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const read = z.record(z.string(), z.string().min(1)).safeParse(keys);
  return read.success ? read.data.default ?? Object.values(read.data)[0] ?? null : null;
}

export type Variable = keyof z.infer<typeof variables>;
const names = Object.keys(variables.shape) as Variable[];

/** Reads every variable through `get`. `needed` are those without which this function cannot work. */
export function readEnvironment(
  get: (name: string) => string | undefined,
  needed: readonly Variable[] = [],
): Reading {
  const given = names.map((name) => [name, get(name)?.trim() || undefined] as const);
  const problems = given
    .filter(([name, value]) => needed.includes(name) && value === undefined)
    .map(([name]) =>
      `${name} is not set, and this function does not work without it: set it as a secret`
    );
  const read = variables.safeParse(Object.fromEntries(given));
  if (!read.success) problems.push(...read.error.issues.map(({ message }) => message));
  if (!read.success || problems.length > 0) return { ok: false, problems: [...new Set(problems)] };
  const env = read.data;
  const supabaseKey = env.SUPABASE_SECRET_KEYS ?? env.SUPABASE_SERVICE_ROLE_KEY;
  return {
    ok: true,
    warnings: weaknesses(env.INTAKE_TOKENS, env.SERVICE_TOKEN),
    environment: {
      port: env.PORT,
      databaseUrl: env.DATABASE_URL ?? null,
      dataDir: env.DATA_DIR,
      intakeTokens: env.INTAKE_TOKENS,
      serviceToken: env.SERVICE_TOKEN ?? null,
      telegram: {
        botToken: env.TELEGRAM_BOT_TOKEN ?? null,
        apiRoot: env.TELEGRAM_API_ROOT,
        webhookSecret: env.TELEGRAM_WEBHOOK_SECRET ?? null,
        chatId: env.TELEGRAM_CHAT_ID ?? null,
        mode: env.TELEGRAM_MODE ?? null,
      },
      llm: env.LLM_BASE_URL && env.LLM_MODEL
        ? {
          baseUrl: env.LLM_BASE_URL,
          model: env.LLM_MODEL,
          apiKey: env.LLM_API_KEY ?? null,
          fastModel: env.LLM_FAST_MODEL ?? null,
        }
        : null,
      supabase: env.SUPABASE_URL && supabaseKey
        ? { url: env.SUPABASE_URL, secretKey: supabaseKey }
        : null,
      keys: {
        signing: env.APPROVAL_SIGNING_KEY ?? null,
        secondFactor: env.SECOND_FACTOR_KEY ?? null,
      },
      quoteUrl: env.QUOTE_URL,
      bridge: env.BROKER_BRIDGE_URL && env.BROKER_BRIDGE_SECRET
        ? { url: env.BROKER_BRIDGE_URL, secret: env.BROKER_BRIDGE_SECRET }
        : null,
      ton: {
        apiUrl: env.TON_API_URL,
        apiKey: env.TON_API_KEY ?? null,
        webhookToken: env.TON_WEBHOOK_TOKEN ?? null,
        wallet: env.TON_WALLET ?? null,
      },
      vipChatId: env.VIP_CHAT_ID ?? null,
      workerConcurrency: env.WORKER_CONCURRENCY,
      redisUrl: env.REDIS_URL ?? null,
      mirrorShareId: env.ONE_DRIVE_SHARE_ID ?? null,
    },
  };
}

/** A short token works, so that nobody is locked out by an old one, but the first line of the log says what it risks. */
function weaknesses(tokens: IntakeToken[], serviceToken: string | undefined): string[] {
  const short = tokens.filter(({ token }) => token.length < 16)
    .map(({ name }) => `INTAKE_TOKENS: ${name} has fewer than 16 characters and can be guessed`);
  return serviceToken !== undefined && serviceToken.length < 16
    ? [...short, "SERVICE_TOKEN has fewer than 16 characters and can be guessed"]
    : short;
}
