import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { shownWord } from "../../shown-word.ts";

/** What the words of `agent mcp add` say; `name` is absent where the snippet has to say it. */
export type GivenServer =
  | { kind: "command"; name: string; command: string; args: readonly string[] }
  | { kind: "url"; name: string; url: string }
  | { kind: "snippet"; name?: string | undefined; text: string }
  /** A snippet is to come on stdin. */
  | { kind: "nothing"; name?: string | undefined };

/** What is understood, for hints. */
export const forms =
  "agent mcp add <name> -- <command> [arguments]; agent mcp add <name> <url>; agent mcp add '<JSON from a README>'";

/** What nobody calls a server, and begins most command lines. */
const launchers = new Set(
  "npx npm pnpm yarn bunx bun node deno uvx uv pipx python python3 docker podman go cargo java".split(
    " ",
  ),
);

/**
 * Tells the forms apart: a snippet has a brace, a URL a scheme, all else is a command.
 * @throws AppError `usage`
 */
export function readGivenServer(words: readonly string[]): GivenServer {
  const [first, second, ...rest] = words;
  if (first === undefined) return { kind: "nothing" };
  if (isSnippet(first)) {
    if (second === undefined) return { kind: "snippet", text: first };
    throw new AppError("usage", "Something follows the snippet", {
      hint: "the snippet is one word: put it in single quotes, or pipe it in",
    });
  }
  if (isUrl(first)) {
    throw new AppError("usage", "The server needs a name before its URL", {
      hint: `agent mcp add ${quoteForShell(nameFromUrl(first))} <url>`,
    });
  }
  if (second === undefined) {
    if (!launchers.has(first)) return { kind: "nothing", name: first };
  } else if (isSnippet(second) && rest.length === 0) {
    return { kind: "snippet", name: first, text: second };
  }
  if (launchers.has(first) || second?.startsWith("-") === true) {
    throw new AppError(
      "usage",
      `The server needs a name before its command: ${shownWord(first)} is none`,
      {
        hint: `agent mcp add <name> -- ${[first, ...(second === undefined ? [] : ["…"])].map((word) => (word === "…" ? word : quoteForShell(word))).join(" ")}`,
      },
    );
  }
  if (second === undefined) return { kind: "nothing", name: first };
  if (!isUrl(second)) return { kind: "command", name: first, command: second, args: rest };
  const [more] = rest;
  if (more !== undefined) {
    throw new AppError("usage", `Unexpected behind the URL: ${shownWord(more)}`, { hint: forms });
  }
  if (!/^https?:/iu.test(second)) {
    throw new AppError("usage", "The URL must begin with http:// or https://");
  }
  return { kind: "url", name: first, url: second };
}

function isSnippet(word: string): boolean {
  return /^\s*(?:[{[`"\u{201c}]|\/[/*])/u.test(word) || /[{}]/u.test(word);
}

function isUrl(word: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//iu.test(word);
}

/** `https://mcp.linear.app/mcp` → `linear`. */
function nameFromUrl(url: string): string {
  if (!URL.canParse(url)) return "<name>";
  const labels = new URL(url).hostname.split(".");
  const [last] = labels.slice(-2);
  return last !== undefined && /^[a-z][a-z0-9-]*$/u.test(last) ? last : "<name>";
}
