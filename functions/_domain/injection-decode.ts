const base64Run = /[A-Za-z0-9+/_-]{12,4096}={0,2}/g;
const base32Run = /(?<![A-Za-z0-9])[A-Z2-7]{24,4096}={0,6}(?![A-Za-z0-9])/g;
const hexRun = /(?<![0-9A-Za-z])[0-9a-fA-F]{12,4096}(?![0-9A-Za-z])/g;
const spacedHexRun = /(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}[ :]){7,2048}[0-9a-fA-F]{2}(?![0-9A-Za-z])/g;
const percentRun = /(?:%[0-9a-fA-F]{2}|[\w.+~!*'()-]){8,4096}/g;
const escapeRun = /(?:\\u\{?[0-9a-fA-F]{2,6}\}?|\\x[0-9a-fA-F]{2}){6,2048}/g;
const entityRun = /(?:&#(?:\d{2,7}|x[0-9a-fA-F]{2,6});?[ ]?){6,2048}/g;
const binaryRun = /(?:[01]{8} ?){6,2048}/g;
const decimalRun = /(?:(?<!\d)(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])[ ,]{1,2}){8,2048}\d{2,3}/g;
const mostRuns = 16;

/** Bytes as the text that they are, or null where they are no readable text: most runs of letters are just that. */
function textOf(bytes: number[]): string | null {
  if (bytes.length < 6) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes));
    return /[\p{Cc}\p{Co}\p{Cn}]/u.test(text.replace(/[\t\n\r]/g, "")) ? null : text;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function base64Text(run: string): string | null {
  const digits = run.replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "");
  if (digits.length % 4 === 1) return null;
  return textOf([...atob(digits)].map((char) => char.charCodeAt(0)));
}

function base32Text(run: string): string | null {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const char of run.replace(/=+$/, "")) {
    held = (held << 5 | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(held >> bits & 0xff);
    }
  }
  return textOf(bytes);
}

const numbers = (run: string, rule: RegExp, base: number): number[] =>
  (run.match(rule) ?? []).map((digits) => parseInt(digits, base));

function percentText(run: string): string | null {
  if (!/%[0-9a-fA-F]{2}/.test(run)) return null;
  const bytes: number[] = [];
  for (let at = 0; at < run.length; at++) {
    if (run[at] !== "%") bytes.push(run.charCodeAt(at));
    else {
      const pair = run.slice(at + 1, at + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(pair)) bytes.push(0x25);
      else {
        bytes.push(parseInt(pair, 16));
        at += 2;
      }
    }
  }
  return textOf(bytes);
}

const codePoints = (points: number[]): string | null =>
  points.some((point) => point > 0x10ffff || point < 0x20)
    ? null
    : String.fromCodePoint(...points.slice(0, 4096));

const entityText = (run: string): string | null =>
  codePoints(
    [...run.matchAll(/&#(?:x([0-9a-fA-F]+)|(\d+))/g)].map(([, hex, decimal]) =>
      hex ? parseInt(hex, 16) : Number(decimal)
    ),
  );

const decoders: [rule: RegExp, decode: (run: string) => string | null][] = [
  [base64Run, base64Text],
  // A path or a file name around it: the run between two separators.
  [/(?<=[/_-])[A-Za-z0-9+]{16,4096}={0,2}/g, base64Text],
  [base32Run, base32Text],
  [spacedHexRun, (run) => textOf(numbers(run, /[0-9a-fA-F]{2}/g, 16))],
  [hexRun, (run) => textOf(numbers(run, /[0-9a-fA-F]{2}/g, 16))],
  [percentRun, percentText],
  [escapeRun, (run) => codePoints(numbers(run, /[0-9a-fA-F]{2,6}/g, 16))],
  [entityRun, entityText],
  [binaryRun, (run) => textOf(numbers(run, /[01]{8}/g, 2))],
  [decimalRun, (run) => textOf(numbers(run, /\d+/g, 10))],
];

export interface DecodedRun {
  run: string;
  text: string;
}

/** What encoded runs in the text say, as far as it is readable text; at most 16 runs of each encoding. */
export function decodedRuns(text: string): DecodedRun[] {
  return decoders.flatMap(([rule, decode]) =>
    (text.match(rule) ?? []).slice(0, mostRuns).flatMap((run) => {
      const decoded = decode(run);
      return decoded === null || decoded === run ? [] : [{ run, text: decoded }];
    })
  );
}

const rot13 = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= "Z" ? 65 : 97;
    return String.fromCharCode((letter.charCodeAt(0) - base + 13) % 26 + base);
  });

/** The text as two simple ciphers would have hidden it: letters moved by 13, and written backwards. */
export const deciphered = (text: string): string[] => [rot13(text), [...text].reverse().join("")];
