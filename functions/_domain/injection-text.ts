// Letters of other scripts that are drawn like Latin ones. Only the usual look-alikes: the rest of a foreign text
// stays as it is, so that a note in Cyrillic is not turned into nonsense that happens to match.
const lookAlikes: Record<string, string> = {
  "а": "a",
  "е": "e",
  "о": "o",
  "р": "p",
  "с": "c",
  "х": "x",
  "у": "y",
  "і": "i",
  "ѕ": "s",
  "ј": "j",
  "ԁ": "d",
  "һ": "h",
  "ӏ": "l",
  "ո": "n",
  "в": "b",
  "к": "k",
  "м": "m",
  "т": "t",
  "н": "h",
  "α": "a",
  "ο": "o",
  "ρ": "p",
  "ε": "e",
  "ι": "i",
  "ν": "v",
  "τ": "t",
  "υ": "u",
  "κ": "k",
  "ı": "i",
};
const lookAlike = new RegExp(`[${Object.keys(lookAlikes).join("")}]`, "gu");

// A word written in two scripts at once; a whole word in one script is left alone.
const mixedWord = /[\p{L}\p{M}]*(?:[a-z][а-яѕіјԁһӏոα-ωı]|[а-яѕіјԁһӏոα-ωı][a-z])[\p{L}\p{M}]*/gu;

// Characters without a width or that reorder text, and the tag block that spells ASCII invisibly.
// Variation selectors and the joiner (U+FE0F, U+200D) belong to emoji and are merely dropped.
const invisible = /[\u00ad\u200b\u200c\u200e\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff]/g;
const tagBlock = /[\u{e0000}-\u{e007f}]/gu;
const emojiGlue = /[\u200d\ufe0e\ufe0f]/g;
const reorders = /[\u202a-\u202e\u2066-\u2069]/;
// Persian and the scripts of India join letters this way by rule; these three alphabets never do.
const letter = String.raw`[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]`;
const splitsAWord = new RegExp(
  String.raw`${letter}[\u00ad\u200b\u200c\u2060-\u2064\ufeff]${letter}`,
  "u",
);

export interface Readable {
  /** Lower case, invisible characters removed, punctuation kept. */
  plain: string;
  /** `plain` with look-alikes, digits within words and spaced-out letters undone, white space single. */
  folded: string;
  /** Invisible characters were there that serve to hide: inside words, reordering, or tag letters. */
  hidden: boolean;
}

const digits: Record<string, string> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  "$": "s",
};
// "1gn0re", "pr3vious": a digit with letters on both sides, or at the start of a longer word. Not "4h", "tp1", "btc2".
const digitInWord = /(?<=[a-z])[013457@$](?=[a-z])|(?<![\w@$])[13457@](?=[a-z][a-z013457@$]{2})/g;
// "i g n o r e": at least five single letters in a row.
const spacedOut = /\b[a-z](?:[ ._*-][a-z]){4,40}\b/g;

/** Text as a model would read it in spite of tricks with its characters. */
export function readable(text: string): Readable {
  const hidden = text.search(tagBlock) >= 0 || reorders.test(text) || splitsAWord.test(text);
  // Invisible ASCII becomes visible: what it says is then judged like the rest.
  const shown = text.replace(tagBlock, (tag) => {
    const code = tag.codePointAt(0)! - 0xe0000;
    return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "";
  });
  const plain = shown.normalize("NFKC").replace(invisible, "").replace(emojiGlue, "").toLowerCase();
  const folded = plain
    .replace(mixedWord, (word) => word.replace(lookAlike, (letter) => lookAlikes[letter]!))
    .replace(/[\u2018\u2019\u02bc]/g, "'")
    .replace(digitInWord, (digit) => digits[digit]!)
    .replace(spacedOut, (letters) => letters.replace(/[ ._*-]/g, ""))
    .replace(/\s+/g, " ");
  return { plain, folded, hidden };
}

const base64Run = /[A-Za-z0-9+/_-]{24,4096}={0,2}/g;
const hexRun = /(?:[0-9a-fA-F]{2}[ :]?){12,2048}/g;
const percentRun = /(?:%[0-9a-fA-F]{2}|[\w.+-]){8,4096}/g;
const printable = /^[\t\n\r\x20-\x7e]{8,}$/;

function base64Text(run: string): string | null {
  const digits = run.replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "");
  if (digits.length % 4 === 1) return null;
  return atob(digits);
}

const hexText = (run: string): string =>
  (run.match(/[0-9a-fA-F]{2}/g) ?? []).map((pair) => String.fromCharCode(parseInt(pair, 16))).join(
    "",
  );

/** What base64, hex and percent runs in the text say, as far as it is plain ASCII. At most 16 of each. */
export function decodedRuns(text: string): string[] {
  const runs = (rule: RegExp) => (text.match(rule) ?? []).slice(0, 16);
  const decoded = [
    ...runs(base64Run).map(base64Text),
    ...runs(hexRun).map(hexText),
    ...runs(percentRun).filter((run) => run.includes("%")).map((run) =>
      run.replace(/%([0-9a-fA-F]{2})/g, (_, pair) => String.fromCharCode(parseInt(pair, 16)))
    ),
  ];
  return decoded.filter((run): run is string => run !== null && printable.test(run));
}
