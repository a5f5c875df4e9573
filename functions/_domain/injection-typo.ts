// Words that give an attack away, when their inner letters were shuffled ("ignroe", "instrcutions"): readers and
// models alike go by the first and last letter.
const telling =
  ("ignore disregard forget override bypass instructions instruction guidelines previous restrictions " +
    "policies system prompt approval approve publish reveal password operator owner administrator execute transfer " +
    "withdraw without critic maximum rules everything confirmation").split(" ");

const signature = (word: string): string =>
  word[0] + [...word.slice(1, -1)].sort().join("") + word[word.length - 1];

const known = new Map(telling.map((word) => [signature(word), word]));

/** The text with shuffled telling words put right. */
export const unscrambled = (text: string): string =>
  text.replace(/[a-z]{5,14}/g, (word) => known.get(signature(word)) ?? word);
