/**
 * Spellings that a person would read as `/approve <code> yes` and that are something else. Each takes the command
 * apart, so that the disguise sits where it is meant to.
 */
type Disguise = readonly [name: string, spell: (code: string, answer: string) => string];

const shifted = (text: string, from: string, to: string): string => text.replace(from, to);
const wide = (text: string): string =>
  text.replace(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0));
const arabicDigits = (text: string): string =>
  text.replace(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit)));

export const disguises: readonly Disguise[] = [
  ["a Cyrillic a in the command", (code, answer) => `/\u0430pprove ${code} ${answer}`],
  ["a Cyrillic o and e", (code, answer) => `/appr\u043ev\u0435 ${code} ${answer}`],
  ["a full-width slash", (code, answer) => `\uff0fapprove ${code} ${answer}`],
  ["a fraction slash", (code, answer) => `\u2044approve ${code} ${answer}`],
  ["the command full-width", (code, answer) => `/${wide("approve")} ${code} ${answer}`],
  ["the code full-width", (code, answer) => `/approve ${wide(code)} ${answer}`],
  ["the answer full-width", (code, answer) => `/approve ${code} ${wide(answer)}`],
  ["a right-to-left override before it", (code, answer) => `\u202e/approve ${code} ${answer}`],
  ["a right-to-left mark inside", (code, answer) => `/app\u200frove ${code} ${answer}`],
  ["a zero-width joiner in the command", (code, answer) => `/app\u200drove ${code} ${answer}`],
  [
    "a zero-width joiner in the code",
    (code, answer) => `/approve ${shifted(code, "-", "-\u200d")} ${answer}`,
  ],
  ["a zero-width space behind it", (code, answer) => `/approve ${code} ${answer}\u200b`],
  ["a word joiner before the answer", (code, answer) => `/approve ${code} \u2060${answer}`],
  [
    "a soft hyphen in the code",
    (code, answer) => `/approve ${shifted(code, "-", "\u00ad-")} ${answer}`,
  ],
  ["a no-break space", (code, answer) => `/approve\u00a0${code} ${answer}`],
  ["an ideographic space", (code, answer) => `/approve ${code}\u3000${answer}`],
  ["a tabulator", (code, answer) => `/approve\t${code} ${answer}`],
  ["a line separator", (code, answer) => `/approve ${code}\u2028${answer}`],
  ["a line break after the command", (code, answer) => `/approve\n${code} ${answer}`],
  [
    "a non-breaking hyphen in the code",
    (code, answer) => `/approve ${code.replaceAll("-", "\u2011")} ${answer}`,
  ],
  [
    "a minus sign in the code",
    (code, answer) => `/approve ${code.replaceAll("-", "\u2212")} ${answer}`,
  ],
  [
    "a Greek tau in the code",
    (code, answer) => `/approve ${shifted(code, "T", "\u03a4")} ${answer}`,
  ],
  ["a letter O for a nought", (code, answer) => `/approve ${shifted(code, "0", "O")} ${answer}`],
  ["Arabic digits", (code, answer) => `/approve ${arabicDigits(code)} ${answer}`],
  [
    "mathematical digits",
    (code, answer) => `/approve ${shifted(code, "0", "\u{1d7ce}")} ${answer}`,
  ],
  ["capitals", (code, answer) => `/APPROVE ${code} ${answer.toUpperCase()}`],
  ["a capital answer", (code, answer) => `/approve ${code} ${answer.toUpperCase()}`],
  ["a small code", (code, answer) => `/approve ${code.toLowerCase()} ${answer}`],
  ["a Cyrillic answer", (code) => `/approve ${code} \u0443es`],
  ["a combining mark on the answer", (code, answer) => `/approve ${code} ${answer}\u0301`],
  ["a longer answer", (code, answer) => `/approve ${code} ${answer}!`],
  ["an answer of another language", (code) => `/approve ${code} да`],
  ["the order turned round", (code, answer) => `/approve ${answer} ${code}`],
  ["nothing but the code", (code) => `/approve ${code}`],
  ["a space before it", (code, answer) => ` /approve ${code} ${answer}`],
  ["words before it", (code, answer) => `please /approve ${code} ${answer}`],
  ["the command on a second line", (code, answer) => `hello\n/approve ${code} ${answer}`],
  ["two slashes", (code, answer) => `//approve ${code} ${answer}`],
  ["brackets round the code", (code, answer) => `/approve <${code}> ${answer}`],
  ["the code of two", (code, answer) => `/approve ${code},${code} ${answer}`],
  ["a wildcard", (_, answer) => `/approve T2-% ${answer}`],
  ["a quote of SQL", (code, answer) => `/approve ${code}'-- ${answer}`],
  ["a name with a dot", (code, answer) => `/approve@dynamic_ags_bot. ${code} ${answer}`],
];

export const disguise = (look: number): Disguise => disguises[look % disguises.length];
