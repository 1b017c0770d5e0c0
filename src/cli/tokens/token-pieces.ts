import { O200K_TOKEN_SPLIT_REGEX as splitter } from "gpt-tokenizer/encodingParams/constants";

/**
 * What the tokenizer does not split itself costs the square of its length: it is cut after so many characters. No
 * language has longer words.
 */
export const longestWord = 500;
/** So much is looked at together, so that no expression runs over a text of any length. */
const windowLength = 20_000;

/**
 * A text in pieces that can be counted one by one: cut where the tokenizer cuts, and within what it would keep together
 * for more than 500 characters, of whatever kind. All pieces together are the text.
 */
export function* tokenPieces(text: string): Generator<string> {
  let from = 0;
  while (from < text.length) {
    const isEnd = from + windowLength >= text.length;
    const window = text.slice(from, from + windowLength);
    const words = Array.from(window.matchAll(splitter), ([word]) => word);
    // The last one may go on behind the window.
    if (!isEnd && words.length > 1) words.pop();
    let piece = "";
    for (const word of words) {
      if (word.length <= longestWord) {
        piece += word;
        continue;
      }
      if (piece !== "") yield piece;
      piece = "";
      for (let at = 0; at < word.length; at += longestWord) {
        yield word.slice(at, at + longestWord);
      }
    }
    if (piece !== "") yield piece;
    from += words.reduce((sum, word) => sum + word.length, 0);
  }
}
