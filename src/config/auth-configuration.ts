import type { AuthConfiguration } from "../core/configuration.ts";
import type { Role } from "../core/principal.ts";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";
import type { WrittenAuth } from "./configuration-schema.ts";

interface StaticToken {
  name: string;
  token: string;
  role: Role;
}

// RFC 6750 §2.1 b64token is narrower; what matters is that a header can carry it as one word.
const tokenWord = /^[\x21-\x7e]+$/;

/**
 * The `auth` entries with their defaults (contract §4 "auth"). `auth` absent means the default, `local`.
 * Reasons never repeat a token.
 */
export function toAuthConfigurations(written: WrittenAuth | readonly WrittenAuth[] | undefined): {
  auth: AuthConfiguration[];
  problems: ConfigurationProblem[];
} {
  if (written === undefined) return { auth: [{ type: "local" }], problems: [] };
  const problems: ConfigurationProblem[] = [];
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
  return { auth, problems };
}

function isList(written: WrittenAuth | readonly WrittenAuth[]): written is readonly WrittenAuth[] {
  return Array.isArray(written);
}

function readTokens(
  entry: WrittenAuth,
  path: KeyPath,
): { tokens: StaticToken[]; problems: ConfigurationProblem[] } {
  const { token, tokens } = entry.options ?? {};
  if ((token === undefined) === (tokens === undefined)) {
    const reason =
      token === undefined
        ? "type token needs options with token or tokens"
        : "has both token and tokens; write one of them";
    return { tokens: [], problems: [{ path: entry.options ? path : path.slice(0, -1), reason }] };
  }
  const list: StaticToken[] =
    token === undefined
      ? (tokens ?? []).map((each) => ({
          name: each.name,
          token: each.token,
          role: each.role ?? "admin",
        }))
      : [{ name: "token", token, role: "admin" }];
  const problems: ConfigurationProblem[] = [];
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
    }
    // Until roles decide something, a lesser one would promise a limit that is not there.
    if (each.role !== "admin") {
      problems.push({ path: [...here, "role"], reason: "only admin is supported yet" });
    }
    if (names.has(each.name)) {
      problems.push({ path: [...here, "name"], reason: "is the same name as an earlier one" });
    }
    names.add(each.name);
    values.add(each.token);
  }
  return { tokens: list, problems };
}
