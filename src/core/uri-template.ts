/**
 * Whether a URI can be an expansion of a template (RFC 6570, levels 1 to 3; of level 4 the modifiers are
 * read and ignored). Templates are foreign input: there is no regular expression made of them, and the work
 * of one match is linear in `steps`.
 */
export interface UriTemplate {
  matches(uri: string): boolean;
  /** What `matches` costs at most for this URI; 0 where how it begins and ends decides already. */
  steps(uri: string): number;
  /** How many characters every expansion has in common: the more, the better a match says whose it is. */
  readonly fixedLength: number;
}

/** Whatever goes beyond matches nothing. */
const longestTemplate = 2_000;
const mostExpressions = 8;
const longestUri = 2_000;
/** Steps that one server's templates may cost for one URI, and those of all servers: a few milliseconds. */
const mostStepsOfServer = 500_000;
const mostSteps = 2_000_000;

type Part = { literal: string } | { lead: string; excluded: string };

/** What an expression begins with where it is not empty, and the characters that end it. */
const operators: Readonly<Record<string, { lead: string; excluded: string }>> = {
  "": { lead: "", excluded: "/?#" },
  "+": { lead: "", excluded: "" },
  "#": { lead: "#", excluded: "" },
  ".": { lead: ".", excluded: "/?#" },
  "/": { lead: "/", excluded: "?#" },
  ";": { lead: ";", excluded: "/?#" },
  "?": { lead: "?", excluded: "#" },
  "&": { lead: "&", excluded: "#" },
};

/** Undefined for what is no template, or too long to be one. */
export function compileUriTemplate(template: string): UriTemplate | undefined {
  const parts = partsOf(template);
  if (parts === undefined) return undefined;
  const literals = parts.flatMap((part) => ("literal" in part ? [part.literal] : []));
  const fixedLength = literals.reduce((sum, { length }) => sum + length, 0);
  const beginning = literalOf(parts[0]);
  const end = literalOf(parts.at(-1));
  // Almost every template is decided by how it begins.
  const mayMatch = (uri: string): boolean =>
    uri.length >= fixedLength &&
    uri.length <= longestUri &&
    uri.startsWith(beginning) &&
    uri.endsWith(end);
  return {
    fixedLength,
    matches: (uri) => mayMatch(uri) && reaches(uri, parts),
    steps: (uri) => (mayMatch(uri) ? (uri.length + 1) * parts.length + template.length : 0),
  };
}

function literalOf(part: Part | undefined): string {
  return part !== undefined && "literal" in part ? part.literal : "";
}

/** A template, whose it is, and what makes it a template at all. */
export interface OwnedTemplate {
  server: string;
  /** Undefined matches nothing. */
  template: UriTemplate | undefined;
}

/**
 * The servers with a template that the URI fits, the most telling template first. The work is bounded, whatever
 * the templates are: a server whose own cost too much for this URI is left out, and takes no match from others;
 * where all of them together cost too much, nobody fits.
 */
export function serversFitting(uri: string, templates: Iterable<OwnedTemplate>): Set<string> {
  const ofServer = new Map<string, { steps: number; candidates: UriTemplate[] }>();
  for (const { server, template } of templates) {
    const steps = template?.steps(uri) ?? 0;
    if (template === undefined || steps === 0) continue;
    const own = ofServer.get(server) ?? { steps: 0, candidates: [] };
    own.steps += steps;
    if (own.steps <= mostStepsOfServer) own.candidates.push(template);
    ofServer.set(server, own);
  }
  const affordable = [...ofServer].filter(([, { steps }]) => steps <= mostStepsOfServer);
  const together = affordable.reduce((sum, [, { steps }]) => sum + steps, 0);
  if (together > mostSteps) return new Set();
  const fitting = affordable.flatMap(([server, { candidates }]) =>
    candidates
      .filter((template) => template.matches(uri))
      .map(({ fixedLength }) => ({ server, fixedLength })),
  );
  return new Set(
    fitting.toSorted((a, b) => b.fixedLength - a.fixedLength).map(({ server }) => server),
  );
}

function partsOf(template: string): Part[] | undefined {
  if (template.length > longestTemplate) return undefined;
  const parts: Part[] = [];
  let expressions = 0;
  for (let at = 0; at < template.length;) {
    const open = template.indexOf("{", at);
    const literal = template.slice(at, open === -1 ? undefined : open);
    if (literal.includes("}")) return undefined;
    if (literal !== "") parts.push({ literal });
    if (open === -1) break;
    const close = template.indexOf("}", open);
    if (close === -1) return undefined;
    const operator = /^[^A-Za-z0-9_%]?/u.exec(template.slice(open + 1, close))?.[0] ?? "";
    const names = template.slice(open + 1 + operator.length, close);
    const expression = operators[operator];
    expressions += 1;
    if (expression === undefined || names === "" || names.includes("{")) return undefined;
    if (expressions > mostExpressions) return undefined;
    parts.push(expression);
    at = close + 1;
  }
  return parts;
}

/** Follows all ways to match at once: `reached[n]` says whether the parts so far can end before character n. */
function reaches(uri: string, parts: readonly Part[]): boolean {
  let reached = new Uint8Array(uri.length + 1);
  reached[0] = 1;
  for (const part of parts) {
    reached =
      "literal" in part ? afterLiteral(uri, part.literal, reached) : after(uri, part, reached);
  }
  return reached[uri.length] === 1;
}

function afterLiteral(uri: string, literal: string, reached: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(uri.length + 1);
  for (const start of occurrences(uri, literal)) {
    if (reached[start] === 1) next[start + literal.length] = 1;
  }
  return next;
}

/** An expression may be empty, or goes on from where it began until a character that ends it. */
function after(
  uri: string,
  { lead, excluded }: { lead: string; excluded: string },
  reached: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(uri.length + 1);
  let inside = false;
  for (let at = 0; at <= uri.length; at++) {
    const begins = reached[at] === 1;
    if (begins && lead === "") inside = true;
    if (begins || inside) next[at] = 1;
    const character = uri[at] ?? "";
    if (begins && lead !== "" && character === lead) inside = true;
    else if (excluded.includes(character)) inside = false;
  }
  return next;
}

/** Every place where `word` occurs in `text`, overlapping ones too (Knuth, Morris, Pratt: linear). */
function occurrences(text: string, word: string): number[] {
  const border = [0];
  for (let at = 1, length = 0; at < word.length; at++) {
    while (length > 0 && word[at] !== word[length]) length = border[length - 1] ?? 0;
    if (word[at] === word[length]) length += 1;
    border[at] = length;
  }
  const found: number[] = [];
  for (let at = 0, length = 0; at < text.length; at++) {
    while (length > 0 && text[at] !== word[length]) length = border[length - 1] ?? 0;
    if (text[at] === word[length]) length += 1;
    if (length < word.length) continue;
    found.push(at + 1 - length);
    length = border[length - 1] ?? 0;
  }
  return found;
}
