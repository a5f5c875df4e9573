// Which fields hold a secret. Bots ask for one in the message, because TradingView signs nothing.

/** `takeProfit`, `take_profit` and `Take Profit` are one name. */
export const plainKey = (key: string): string => key.toLowerCase().replace(/[^a-z0-9]/g, "");

const words = (key: string): string[] =>
  key.slice(0, 128).replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[^a-z0-9]+/);

const secretWords = new Set(
  [
    "key",
    "keys",
    "token",
    "tokens",
    "pass",
    "pin",
    "pwd",
    "passwd",
    "auth",
    "seed",
    "otp",
    "jwt",
    "cookie",
  ],
);
const secretNames =
  /passphrase|passwd|password|passcode|secret|api_?key|accesskey|privatekey|authkey|userkey|licen[cs]e|credential|mnemonic|bearer|authori[sz]ation|token$/;
const harmless = new Set(["idempotencykey", "licensed", "secretsauce"]);

export function isSecretKey(key: string): boolean {
  const plain = plainKey(key);
  if (harmless.has(plain)) return false;
  return secretNames.test(plain) || words(key).some((word) => secretWords.has(word));
}
