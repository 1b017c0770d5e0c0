import type { AuthConfiguration, StaticToken } from "../core/configuration.ts";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";
import type { WrittenAuth } from "./configuration-schema.ts";

// RFC 6750 §2.1 b64token is narrower; what matters is that a header can carry it as one word.
const tokenWord = /^[\x21-\x7e]+$/;
/** Of random letters and digits, this many are beyond guessing over the network. */
const shortestSafeToken = 16;

/**
 * The `auth` entries with their defaults (contract §4 "auth"). `auth` absent means the default, `local`.
 * Reasons never repeat a token; `doubts` are allowed, and seldom meant.
 */
export function toAuthConfigurations(written: WrittenAuth | readonly WrittenAuth[] | undefined): {
  auth: AuthConfiguration[];
  problems: ConfigurationProblem[];
  doubts: ConfigurationProblem[];
} {
  if (written === undefined) return { auth: [{ type: "local" }], problems: [], doubts: [] };
  const problems: ConfigurationProblem[] = [];
  const doubts: ConfigurationProblem[] = [];
  const list = isList(written);
  const entries = list ? written : [written];
  const seen = new Set<string>();
  const auth = entries.flatMap((entry, index): AuthConfiguration[] => {
    const path: KeyPath = list ? ["auth", index] : ["auth"];
    if (seen.has(entry.type)) {
      problems.push({
        path: [...path, "type"],
        reason: `"${entry.type}" stands in the list twice`,
      });
      return [];
    }
    seen.add(entry.type);
    if (entry.type === "token") {
      const read = readTokens(entry, [...path, "options"]);
      problems.push(...read.problems);
      doubts.push(...read.doubts);
      return [{ type: "token", tokens: read.tokens }];
    }
    if (entry.options !== undefined && Object.keys(entry.options).length > 0) {
      problems.push({ path: [...path, "options"], reason: `"${entry.type}" has no options` });
    }
    return [{ type: entry.type }];
  });
  if (seen.has("none") && entries.length > 1) {
    problems.push({ path: ["auth"], reason: '"none" stands alone: it lets everybody in' });
  }
  return { auth, problems, doubts };
}

function isList(written: WrittenAuth | readonly WrittenAuth[]): written is readonly WrittenAuth[] {
  return Array.isArray(written);
}

function readTokens(
  entry: WrittenAuth,
  path: KeyPath,
): { tokens: StaticToken[]; problems: ConfigurationProblem[]; doubts: ConfigurationProblem[] } {
  const { token, tokens } = entry.options ?? {};
  if ((token === undefined) === (tokens === undefined)) {
    const reason =
      token === undefined
        ? "type token needs options with token or tokens"
        : "has both token and tokens; write one of them";
    const problem = { path: entry.options ? path : path.slice(0, -1), reason };
    return { tokens: [], problems: [problem], doubts: [] };
  }
  const list: StaticToken[] =
    token === undefined
      ? (tokens ?? []).map((each) => ({
          name: each.name,
          token: each.token,
          role: each.role ?? "admin",
          organizationId: each.organization ?? null,
        }))
      : [{ name: "token", token, role: "admin", organizationId: null }];
  const problems: ConfigurationProblem[] = [];
  const doubts: ConfigurationProblem[] = [];
  const names = new Set<string>();
  const values = new Set<string>();
  for (const [index, each] of list.entries()) {
    const here = token === undefined ? [...path, "tokens", index] : path;
    const tokenPath = [...here, "token"];
    if (!tokenWord.test(each.token)) {
      problems.push({
        path: tokenPath,
        reason: "holds characters that a header cannot carry, or spaces",
      });
    } else if (each.token.startsWith("od_")) {
      problems.push({
        path: tokenPath,
        reason: "must not begin with od_, which marks the gateway's own tokens",
      });
    } else if (values.has(each.token)) {
      problems.push({ path: tokenPath, reason: "is the same token as an earlier one" });
    } else if (each.token.length < shortestSafeToken) {
      doubts.push({
        path: tokenPath,
        reason: `is shorter than ${shortestSafeToken} characters, so it could be guessed`,
        hint: "take one of random characters: openssl rand -hex 32",
      });
    }
    if (names.has(each.name)) {
      problems.push({ path: [...here, "name"], reason: "is the same name as an earlier one" });
    }
    names.add(each.name);
    values.add(each.token);
  }
  return { tokens: list, problems, doubts };
}
