import type { Tool } from "./mcp.ts";
import { closest } from "./suggest.ts";

/** A tool under the name that clients see, and whose it is. */
export interface ExposedTool {
  /** The configured name of its server. */
  server: string;
  tool: Tool;
}

export interface FoundTools {
  /** The best first. */
  tools: readonly ExposedTool[];
  /** The words that were looked for instead, where nothing has those that were asked for. */
  instead?: string | undefined;
}

/** What is read of a query, and of each tool: names and texts are foreign and may be long and many. */
const longestQuery = 200;
const mostWords = 10;
const longestName = 1_000;
const mostNameWords = 40;
const longestText = 2_000;
/**
 * What one query may cost, some twenty milliseconds: characters of texts that are looked through, for all its words
 * together, and places where a word was found that may be part of a longer one. Each tool has an equal share, so that
 * of many tools the beginning of each description counts, and none is left out.
 */
const mostSearched = 5_000_000;
const mostPlaces = 150_000;
const leastShare = { reach: 100, places: 3 };
/** Words for which others are guessed, and what all guesses cost together (`closest`). */
const mostGuessed = 3;
const mostCells = 300_000;

/** Words that say nothing of what is looked for. */
const fillers: ReadonlySet<string> = new Set(
  "a all an and by for from how i in is me my of on or that the this to tool tools use with".split(
    " ",
  ),
);

/** What is compared of a tool, in lower case. */
interface Searched {
  name: string;
  /** Each between spaces. */
  nameWords: string;
  title: string;
  description: string;
}
/** By the tool as it is listed, which is one object in all catalogs. */
const searched = new WeakMap<Tool, Searched>();

/** How much of a text is looked through for one word. */
interface Share {
  reach: number;
  places: number;
}

/**
 * The tools that a query's words are in, in name, title or description, whatever their case. Those that have every word
 * are all; only where none has, those that have some. Where none has any, words that are spelt alike are looked for.
 */
export function findTools(tools: readonly ExposedTool[], query: string): FoundTools {
  const words = wordsIn(query);
  const found = ranked(tools, query, words);
  if (found.length > 0) return { tools: found };
  const meant = guessed(tools, words);
  const instead = meant.join(" ");
  return instead === words.join(" ")
    ? { tools: [] }
    : { tools: ranked(tools, instead, meant), instead };
}

function wordsIn(query: string): string[] {
  const all = [...new Set(splitWords(query.slice(0, longestQuery)))].slice(0, mostWords);
  const telling = all.filter((word) => !fillers.has(word));
  return telling.length === 0 ? all : telling;
}

/** `readFile_v2` is read, file, v2. */
function splitWords(text: string): string[] {
  const apart = text.replace(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})/gu, " ").toLowerCase();
  return apart.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The words that are meant, most likely; of many, the first are guessed. */
function guessed(tools: readonly ExposedTool[], words: readonly string[]): string[] {
  const known = new Set<string>();
  for (const { server, tool } of tools) {
    for (const word of textOf(server, tool).nameWords.split(" ")) known.add(word);
  }
  known.delete("");
  const most = Math.floor(mostCells / Math.min(words.length, mostGuessed));
  return words.map((word, index) =>
    index < mostGuessed ? (closest(word, known, most) ?? word) : word,
  );
}

function ranked(
  tools: readonly ExposedTool[],
  query: string,
  words: readonly string[],
): ExposedTool[] {
  const asked = query.trim().toLowerCase();
  const share = shareOf(tools.length * words.length);
  const wanted = words.map(wantedOf);
  const rated: { entry: ExposedTool; hits: number; score: number }[] = [];
  for (const entry of tools) {
    const text = textOf(entry.server, entry.tool);
    let hits = 0;
    let score = text.name === asked ? 100 : 0;
    for (const word of wanted) {
      const found = scoreOf(word, text, share);
      if (found > 0) hits += 1;
      score += found;
    }
    if (hits > 0) rated.push({ entry, hits, score });
  }
  const complete = rated.filter(({ hits }) => hits === words.length);
  return (complete.length > 0 ? complete : rated)
    .toSorted((one, other) => other.hits - one.hits || other.score - one.score)
    .map(({ entry }) => entry);
}

/** @param looks how many texts are looked through */
function shareOf(looks: number): Share {
  const reach = Math.floor(mostSearched / Math.max(looks, 1));
  const places = Math.floor(mostPlaces / Math.max(looks, 1));
  return {
    reach: Math.max(leastShare.reach, reach),
    places: Math.max(leastShare.places, places),
  };
}

/** A word in the forms that are looked for among the words of names, which stand between spaces. */
interface Wanted {
  word: string;
  isLong: boolean;
  beginning: string;
  /** Shorter by up to three letters, the longest first: `files` is `file`, `searching` is `search`. */
  stems: readonly string[];
  /** What each of those begins with; undefined: there are none. */
  stem: string | undefined;
}

function wantedOf(word: string): Wanted {
  const shortest = Math.max(3, word.length - 3);
  const lengths = [1, 2, 3].map((less) => word.length - less);
  const stems = lengths
    .filter((length) => length >= shortest)
    .map((length) => ` ${word.slice(0, length)} `);
  const stem = stems.length === 0 ? undefined : ` ${word.slice(0, shortest)}`;
  return { word, isLong: word.length > 2, beginning: ` ${word}`, stems, stem };
}

/** How well a tool has a word; 0: not at all. */
function scoreOf(wanted: Wanted, searchedText: Searched, share: Share): number {
  const { word, isLong, beginning, stem } = wanted;
  const { name, nameWords, title, description } = searchedText;
  if (nameWords.includes(beginning)) {
    if (nameWords.includes(`${beginning} `)) return 10;
    if (isLong) return 7;
  }
  const inTitle = foundIn(title, word, share);
  if (inTitle === "word") return 6;
  if (isLong && name.includes(word)) return 5;
  if (stem !== undefined && nameWords.includes(stem)) {
    if (wanted.stems.some((one) => nameWords.includes(one))) return 4;
  }
  const inDescription = foundIn(description, word, share);
  if (inDescription === "word") return 3;
  if (!isLong) return 0;
  if (inTitle === "part") return 2;
  return inDescription === "part" ? 1 : 0;
}

const letter = /[\p{L}\p{N}]/u;

/** Whether a text holds a word that is not part of a longer one, or as part of one only. */
function foundIn(
  text: string,
  word: string,
  { reach, places }: Share,
): "word" | "part" | undefined {
  const read = text.length > reach ? text.slice(0, reach) : text;
  let at = read.indexOf(word);
  if (at === -1) return undefined;
  for (let place = 0; at !== -1 && place < places; place++) {
    if (!isLetter(text, at - 1) && !isLetter(text, at + word.length)) return "word";
    at = read.indexOf(word, at + 1);
  }
  return "part";
}

function isLetter(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
  return letter.test(text.charAt(index));
}

function textOf(server: string, tool: Tool): Searched {
  let text = searched.get(tool);
  if (text === undefined) {
    const { name, title, description } = tool;
    text = {
      name: name.slice(0, longestName).toLowerCase(),
      nameWords: ` ${wordsOf(name, server).join(" ")} `,
      title: lowerText(title),
      description: lowerText(description),
    };
    searched.set(tool, text);
  }
  return text;
}

function wordsOf(name: string, server: string): string[] {
  const words = [name, server].flatMap((text) =>
    splitWords(text.slice(0, longestName)).slice(0, mostNameWords),
  );
  return [...new Set(words)];
}

function lowerText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, longestText).toLowerCase() : "";
}
