import { AppError } from "./errors.ts";

/** A boolean expression of tags, read. */
export interface TagFilter {
  /** The same for all that say the same but for order, spelling and brackets. */
  readonly key: string;
  /** The tags it names, each once. */
  readonly tags: readonly string[];
  readonly matches: (tags: readonly string[]) => boolean;
}

/** Where a filter cannot be read, and why. */
export class TagFilterFault extends AppError {
  /** Without the place, and without a word of the filter. */
  readonly reason: string;
  /** Of the filter's characters (code points), counted from 1; one beyond the last: its end. */
  readonly column: number;

  constructor(reason: string, column: number) {
    super("usage", `The filter is wrong at character ${column}: ${reason}`, {
      hint: "A filter reads like this: web and not (beta or slow)",
    });
    this.reason = reason;
    this.column = column;
  }
}

type Expression =
  | { kind: "tag"; tag: string }
  | { kind: "not"; of: Expression }
  | { kind: "and" | "or"; of: readonly Expression[] };

type Word = "and" | "or" | "not" | "(" | ")";

interface Token {
  /** Undefined: a tag. */
  word: Word | undefined;
  tag: string;
  /** Where it begins, in UTF-16 units. */
  at: number;
}

const longestFilter = 1_000;
const deepestFilter = 64;
/** A text in quotes, a sign, or a bare word; sticky. */
const tokenForm = /"((?:[^"\\]|\\.)*)"|(&&?|\|\|?|[,!()])|([^\s()!&|,"]+)/suy;
const signs: Readonly<Record<string, Word>> = {
  "&": "and",
  "&&": "and",
  "|": "or",
  "||": "or",
  ",": "or",
  "!": "not",
  "(": "(",
  ")": ")",
};
const words = ["and", "or", "not"] as const;

/**
 * Reads a filter: tags as bare words or in quotes (`\"` and `\\` stand for themselves there), `and` (`&`, `&&`), `or`
 * (`|`, `||`, `,`), `not` (`!`) and brackets; `not` binds closest, then `and`. Words of the grammar in any case; a tag
 * of that spelling stands in quotes.
 * @throws TagFilterFault (an AppError `usage`); of more than 1,000 characters and 64 levels too
 */
export function parseTagFilter(text: string): TagFilter {
  if (text.length > longestFilter) {
    throw new TagFilterFault(`it has ${longestFilter} characters at most`, longestFilter + 1);
  }
  return filterOf(parse(text));
}

/** The filter that wants one of these tags; of none, nothing fits it. */
export function anyOfTags(tags: readonly string[]): TagFilter {
  return filterOf({ kind: "or", of: tags.map((tag) => ({ kind: "tag", tag })) });
}

function filterOf(expression: Expression): TagFilter {
  return {
    key: keyOf(expression),
    tags: [...new Set(tagsIn(expression))],
    matches: (tags) => holds(expression, tags),
  };
}

function parse(text: string): Expression {
  const tokens = tokensOf(text);
  let next = 0;
  const peek = (): Word | "tag" | undefined => {
    const token = tokens[next];
    return token && (token.word ?? "tag");
  };
  const fault = (reason: string): TagFilterFault =>
    new TagFilterFault(reason, columnOf(text, tokens[next]?.at ?? text.length));

  const joined = (
    kind: "and" | "or",
    depth: number,
    operand: (depth: number) => Expression,
  ): Expression => {
    const of = [operand(depth)];
    while (peek() === kind) {
      next += 1;
      of.push(operand(depth));
    }
    const [only] = of;
    return of.length === 1 && only !== undefined ? only : { kind, of };
  };
  const either = (depth: number): Expression => joined("or", depth, all);
  const all = (depth: number): Expression => joined("and", depth, single);
  const single = (depth: number): Expression => {
    if (depth > deepestFilter) throw fault(`it is more than ${deepestFilter} levels deep`);
    const token = tokens[next];
    if (token === undefined || token.word === "and" || token.word === "or" || token.word === ")") {
      throw fault("a tag is missing here");
    }
    next += 1;
    if (token.word === undefined) return { kind: "tag", tag: token.tag };
    if (token.word === "not") return { kind: "not", of: single(depth + 1) };
    const inner = either(depth + 1);
    if (peek() !== ")") throw fault("a closing bracket is missing here");
    next += 1;
    return inner;
  };

  const whole = either(1);
  if (peek() === ")") throw fault("there is no opening bracket for this one");
  if (peek() !== undefined) throw fault("and, or are missing before this");
  return whole;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (/\s/u.test(text[at] ?? "")) at += 1;
    if (at >= text.length) return tokens;
    tokenForm.lastIndex = at;
    const found = tokenForm.exec(text);
    // Whatever is no sign and no space begins a word: what is left is a quote.
    if (found === null) throw new TagFilterFault("this quote has no end", columnOf(text, at));
    const [whole, quoted, sign, bare] = found;
    const tag = quoted === undefined ? (bare ?? "") : quoted.replaceAll(/\\(["\\])/gu, "$1");
    if (quoted === "") throw new TagFilterFault("a tag is not empty", columnOf(text, at));
    tokens.push({ word: sign === undefined ? wordOf(bare) : signs[sign], tag, at });
    at += whole.length;
  }
}

function wordOf(bare = ""): Word | undefined {
  const word = bare.toLowerCase();
  return words.find((known) => known === word);
}

function columnOf(text: string, at: number): number {
  return Array.from(text.slice(0, at)).length + 1;
}

function holds(expression: Expression, tags: readonly string[]): boolean {
  switch (expression.kind) {
    case "tag":
      return tags.includes(expression.tag);
    case "not":
      return !holds(expression.of, tags);
    case "and":
      return expression.of.every((each) => holds(each, tags));
    case "or":
      return expression.of.some((each) => holds(each, tags));
  }
}

function tagsIn(expression: Expression): string[] {
  if (expression.kind === "tag") return [expression.tag];
  return expression.kind === "not" ? tagsIn(expression.of) : expression.of.flatMap(tagsIn);
}

function keyOf(expression: Expression): string {
  if (expression.kind === "tag") return JSON.stringify(expression.tag);
  if (expression.kind === "not") {
    const { of } = expression;
    return of.kind === "not" ? keyOf(of.of) : `!${keyOf(of)}`;
  }
  const { kind } = expression;
  const keys = new Set(partsOf(expression, kind).map(keyOf));
  const [only] = keys;
  if (keys.size === 1 && only !== undefined) return only;
  return `(${[...keys].toSorted().join(kind === "and" ? "&" : "|")})`;
}

/** What is joined in the same way, also where brackets stand around some of it. */
function partsOf(expression: Expression, kind: "and" | "or"): Expression[] {
  return expression.kind === kind
    ? expression.of.flatMap((each) => partsOf(each, kind))
    : [expression];
}
