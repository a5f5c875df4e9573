import type { z } from "zod";

export interface IntakeToken {
  name: string;
  token: string;
}

const named = /^([A-Za-z][\w.-]{0,31})=(?=[^=])(.+)$/;

/**
 * `token` or `name=token`, separated by commas. A token without a name is called by its place, since receipts
 * name their source and must never hold the token. Two tokens may share a name while one replaces the other.
 */
export function intakeTokens(
  text: string,
  context: z.core.$RefinementCtx,
): IntakeToken[] {
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  const tokens = parts.map((part, i): IntakeToken => {
    const [, name, token] = named.exec(part) ?? [];
    return token === undefined
      ? { name: i === 0 ? "default" : `token-${i + 1}`, token: part }
      : { name, token };
  });
  tokens.forEach(({ token }, i) => {
    const place = `INTAKE_TOKENS, entry ${i + 1}`;
    if (!/^[!-~]+$/.test(token) || /[/?#%]/.test(token)) {
      context.addIssue(
        `${place}: a token is part of a web address; use letters, digits, - and _ only`,
      );
    }
    if (tokens.findIndex((other) => other.token === token) !== i) {
      context.addIssue(`${place}: this token is listed twice; give each source its own`);
    }
  });
  return tokens;
}
