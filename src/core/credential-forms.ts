/** Stands where a secret stood. */
export const redacted = "[redacted]";

/**
 * What looks like a credential wherever it stands. Each pattern is linear in the text: it starts only where a word
 * does, and what it repeats is either consumed or bounded.
 */
const patterns: readonly (readonly [pattern: RegExp, replacement: string, needs?: string])[] = [
  // Private keys in PEM (RFC 7468), to the end of the text where theirs is cut off.
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----[^]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|$)/gu,
    redacted,
    "-----BEGIN ",
  ],
  [/\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/giu, `$1 ${redacted}`],
  // Tokens this gateway mints; GitHub, GitLab, OpenAI and Anthropic, Stripe, Slack, Google, npm, Hugging Face, AWS.
  [
    new RegExp(
      String.raw`\b(?:od_[\w-]{16,}|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{20,}` +
        String.raw`|[rs]k_(?:live|test)_\w{16,}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|AIza[\w-]{30,}|npm_\w{30,}` +
        String.raw`|hf_\w{30,}|(?:AKIA|ASIA)[A-Z0-9]{16})`,
      "gu",
    ),
    redacted,
  ],
  // JSON Web Tokens (RFC 7519).
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/gu, redacted, "eyJ"],
  // The password in a URL (RFC 3986 §3.2.1).
  [/(:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,1000}@/gu, `$1${redacted}@`, "://"],
];

/** In less than `Basic` and eight characters after a space nothing is found by a pattern that needs no text of its own. */
const shortest = 14;

/** What looks like a credential by its form is replaced, wherever in the text it stands. */
export function replacePatterns(text: string): string {
  let result = text;
  for (const [pattern, replacement, needs] of patterns) {
    // Most texts have nothing of it, and that is found out faster so.
    const mayBeIn = needs === undefined ? result.length >= shortest : result.includes(needs);
    if (mayBeIn) result = result.replace(pattern, replacement);
  }
  return result;
}
