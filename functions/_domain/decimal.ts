// Prices are compared and multiplied here, as integers with a scale: 0.1 + 0.2 is 0.3, and no float ever rounds one.
interface Decimal {
  units: bigint;
  scale: number;
}

const maxDigits = 38;
const maxFraction = 18;
const shape = /^([+-]?)(\d{0,64})(?:\.(\d{0,64}))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * `"067.50"` → `"67.5"`, `"1e-3"` → `"0.001"`; null for anything that is not exactly one number of at most 38 digits,
 * 18 of them behind the point. What does not fit is not rounded: a figure is what was sent, or it is unknown.
 */
export function decimal(text: string): string | null {
  const parts = text.length > 64 ? null : shape.exec(text);
  if (!parts || (parts[2] === "" && (parts[3] ?? "") === "")) return null;
  const [, sign, whole, fraction = "", exponent = "0"] = parts;
  const scale = fraction.length - Number(exponent);
  const units = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  const value = trim(
    scale < 0 ? { units: units * 10n ** BigInt(-scale), scale: 0 } : { units, scale },
  );
  const size = digits(value);
  return value.scale > maxFraction || size > maxDigits ? null : print(value);
}

/** A decimal above zero; null for zero, negative numbers and anything else. */
export function positive(text: string): string | null {
  const value = decimal(text);
  return value !== null && read(value).units > 0n ? value : null;
}

export const add = (a: string, b: string): string => {
  const [x, y, scale] = aligned(a, b);
  return finish({ units: x + y, scale });
};

export const subtract = (a: string, b: string): string => {
  const [x, y, scale] = aligned(a, b);
  return finish({ units: x - y, scale });
};

export const multiply = (a: string, b: string): string => {
  const [x, y] = [read(a), read(b)];
  return finish({ units: x.units * y.units, scale: x.scale + y.scale });
};

/** Rounded towards zero, so that 1.4999 never shows as 1.5. Null for a division by zero. */
export function divide(a: string, b: string, places: number): string | null {
  const [x, y] = aligned(a, b);
  return y === 0n ? null : finish({ units: (x * 10n ** BigInt(places)) / y, scale: places });
}

/** `percentOf("200", "1.5")` is `"3"`: exact. */
export const percentOf = (value: string, percent: string): string =>
  multiply(multiply(value, percent), "0.01");

export const compare = (a: string, b: string): -1 | 0 | 1 => {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
};

function read(text: string): Decimal {
  if (!/^-?\d{1,64}(\.\d{1,40})?$/.test(text)) throw new RangeError("not a decimal");
  const [whole, fraction = ""] = text.split(".");
  return { units: BigInt(whole + fraction), scale: fraction.length };
}

function aligned(a: string, b: string): [bigint, bigint, number] {
  const [x, y] = [read(a), read(b)];
  const scale = Math.max(x.scale, y.scale);
  return [
    x.units * 10n ** BigInt(scale - x.scale),
    y.units * 10n ** BigInt(scale - y.scale),
    scale,
  ];
}

const digits = (value: Decimal): number =>
  Math.max(value.units.toString().replace("-", "").length, value.scale);

function trim({ units, scale }: Decimal): Decimal {
  while (scale > 0 && units % 10n === 0n) [units, scale] = [units / 10n, scale - 1];
  return { units, scale };
}

/** Beyond 18 places a result is rounded, half away from zero. */
function finish(value: Decimal): string {
  const cut = value.scale - maxFraction;
  if (cut <= 0) return print(trim(value));
  const step = 10n ** BigInt(cut);
  const half = value.units < 0n ? -step / 2n : step / 2n;
  return print(trim({ units: (value.units + half) / step, scale: maxFraction }));
}

function print({ units, scale }: Decimal): string {
  const text = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const point = text.length - scale;
  const body = scale === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`;
  return units < 0n ? `-${body}` : body;
}
