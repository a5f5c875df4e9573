import { z } from "zod";

/** What the command center reads of its surroundings; unset and empty are the same. */
export interface CommandCenterEnvironment {
  port: number;
  /** The machine's name in its tailnet, where people come by that name. */
  name: string | null;
  databaseUrl: string | null;
  config: string | null;
}

const port = "COMMAND_CENTER_PORT must be a number from 0 to 65535, such as 54380";
const postgresUrl = (value: string): boolean =>
  /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);

const variables = z.object({
  COMMAND_CENTER_PORT: z.string().regex(/^\d{1,5}$/, port).transform(Number)
    .refine((n) => n <= 65535, port).default(54380),
  COMMAND_CENTER_NAME: z.string().toLowerCase().regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
    "COMMAND_CENTER_NAME must be the machine's name in its tailnet, such as desk.tail1234.ts.net",
  ).optional(),
  COMMAND_CENTER_DATABASE_URL: z.string().refine(
    postgresUrl,
    "COMMAND_CENTER_DATABASE_URL must be a postgres:// address of a login that may become command_center",
  ).optional(),
  COMMAND_CENTER_CONFIG: z.string().optional(),
  DATABASE_URL: z.string().refine(postgresUrl, "DATABASE_URL must be a postgres:// address")
    .optional(),
});

export function readCommandCenterEnvironment(
  get: (name: string) => string | undefined,
): { ok: true; environment: CommandCenterEnvironment } | { ok: false; problems: string[] } {
  const given = Object.keys(variables.shape).map((name) => [name, get(name)?.trim() || undefined]);
  const parsed = variables.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    return { ok: false, problems: parsed.error.issues.map(({ message }) => `${message}.`) };
  }
  const env = parsed.data;
  return {
    ok: true,
    environment: {
      port: env.COMMAND_CENTER_PORT,
      name: env.COMMAND_CENTER_NAME ?? null,
      databaseUrl: env.COMMAND_CENTER_DATABASE_URL ?? env.DATABASE_URL ?? null,
      config: env.COMMAND_CENTER_CONFIG ?? null,
    },
  };
}
