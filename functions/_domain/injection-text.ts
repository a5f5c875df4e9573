// Letters of other scripts that are drawn like Latin ones. Only the usual look-alikes: the rest of a foreign text
// stays as it is, so that a note in Cyrillic is not turned into nonsense that happens to match.
const foreign = "аеорсхуіѕјԁһӏոвкмтнαορειντυκı";
const drawnLike = "aeopcxyisjdhlnbkmthaopeivtuki";
const lookAlikes = new Map([...foreign].map((letter, i) => [letter, [...drawnLike][i]!]));
const lookAlike = new RegExp(`[${foreign}]`, "gu");

// A word written in two scripts at once; a whole word in one script is left alone.
const word = /[\p{L}\p{M}]+/gu;
const mixed = /[a-z][а-яѕіјԁһӏոα-ωı]|[а-яѕіјԁһӏոα-ωı][a-z]/u;

// Characters without a width or that reorder text, and the tag block that spells ASCII invisibly.
// Variation selectors and the joiner (U+FE0F, U+200D) belong to emoji and are merely dropped.
const invisible =
  /[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff]/g;
const tagBlock = /[\u{e0000}-\u{e007f}]/gu;
const emojiGlue = /[\u200d\ufe0e\ufe0f]/g;
const reorders = /[\u202a-\u202e\u2066-\u2069]/;
// Persian and the scripts of India join letters this way by rule; these three alphabets never do.
const letter = String.raw`[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]`;
const splitsAWord = new RegExp(
  String.raw`${letter}[\u00ad\u200b\u200c\u200d\u2060-\u2064\ufeff]${letter}`,
  "u",
);

export interface Readable {
  /** Lower case, invisible characters removed, punctuation kept. */
  plain: string;
  /** `plain` with look-alikes, accents, digits within words and spaced-out letters undone, white space single. */
  folded: string;
  /** All letters of what was spaced out, without any space; empty where nothing was. */
  squeezed: string;
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
// "1gn0re", "pr3vious", "7he": a digit with letters on both sides, or at the start of a longer word. Not "4h", "tp1".
const digitInWord =
  /(?<=[a-z])[013457@$](?=[a-z])|(?<=[a-z][013457@$])[013457@$](?=[a-z])|(?<![\w@$.])[013457@](?=[a-z][a-z013457@$]{2})|(?<=[a-z]{3})[01357](?![\w.])/g;
// "i g n o r e": at least four single letters in a row.
const spacedOut = /(?<![a-z0-9])[a-z](?:[ ._*-][a-z]){2,60}(?![a-z0-9])/g;
// Letters whose accent is part of them and does not come off by itself.
const wholeAccents: Record<string, string> = {
  "đ": "d",
  "ł": "l",
  "ø": "o",
  "ß": "ss",
  "æ": "ae",
  "œ": "oe",
};

/** One spelling for what compatibility forms, accents and case make different. */
export const fold = (text: string): string =>
  text.normalize("NFKC").toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(
    /[đłøßæœ]/g,
    (char) => wholeAccents[char]!,
  ).normalize("NFC");

/** Text as a model would read it in spite of tricks with its characters. */
export function readable(text: string): Readable {
  const hidden = text.search(tagBlock) >= 0 || reorders.test(text) || splitsAWord.test(text);
  // Invisible ASCII becomes visible: what it says is then judged like the rest.
  const shown = text.replace(tagBlock, (tag) => {
    const code = tag.codePointAt(0)! - 0xe0000;
    return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "";
  });
  const plain = shown.normalize("NFKC").replace(invisible, "").replace(emojiGlue, "").toLowerCase();
  const single = plain.replace(
    word,
    (found) =>
      mixed.test(found) ? found.replace(lookAlike, (letter) => lookAlikes.get(letter)!) : found,
  );
  const runs = single.match(spacedOut) ?? [];
  const folded = fold(single)
    .replace(/[\u2018\u2019\u02bc]/g, "'")
    .replace(digitInWord, (digit) => digits[digit]!)
    .replace(spacedOut, (letters) => letters.replace(/[ ._*-]/g, ""))
    .replace(/_| ?[-–—*~|·•]{2,8} ?/g, " ")
    .replace(/\s+/g, " ");
  const squeezed = runs.some((run) => run.length > 14) ? single.replace(/[^a-z]/g, "") : "";
  return { plain, folded, squeezed, hidden };
}
