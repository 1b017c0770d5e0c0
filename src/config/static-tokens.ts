import type { StaticToken } from "../core/configuration.ts";
import type { WrittenAuthOf } from "./auth-schema.ts";
import type { Findings } from "./findings.ts";

// RFC 6750 §2.1 b64token is narrower; what matters is that a header can carry it as one word.
const tokenWord = /^[\x21-\x7e]+$/;
/** Of random letters and digits, this many are beyond guessing over the network. */
const shortestSafeToken = 16;

/** The tokens of type `token` with their defaults. Reasons never repeat one. */
export function toStaticTokens(
  { token, tokens }: WrittenAuthOf<"token">["options"],
  findings: Findings,
): StaticToken[] {
  if ((token === undefined) === (tokens === undefined)) {
    const reason =
      token === undefined
        ? "type token needs options with token or tokens"
        : "has both token and tokens; write one of them";
    findings.problem([], reason);
    return [];
  }
  if (token !== undefined) {
    const only: StaticToken = { name: "token", token, role: "admin", organizationId: null };
    checkToken(only.token, new Set(), findings);
    return [only];
  }
  const names = new Set<string>();
  const values = new Set<string>();
  return (tokens ?? []).map((written, index) => {
    const here = findings.at("tokens", index);
    checkToken(written.token, values, here);
    if (names.has(written.name)) here.problem(["name"], "is the same name as an earlier one");
    names.add(written.name);
    values.add(written.token);
    const { name, role = "admin", organization = null } = written;
    return { name, token: written.token, role, organizationId: organization };
  });
}

function checkToken(token: string, earlier: ReadonlySet<string>, findings: Findings): void {
  if (!tokenWord.test(token)) {
    findings.problem(["token"], "holds characters that a header cannot carry, or spaces");
  } else if (token.startsWith("od_")) {
    const reason = "must not begin with od_, which marks the gateway's own tokens";
    findings.problem(["token"], reason);
  } else if (earlier.has(token)) {
    findings.problem(["token"], "is the same token as an earlier one");
  } else if (token.length < shortestSafeToken) {
    const reason = `is shorter than ${shortestSafeToken} characters, so it could be guessed`;
    findings.doubt(["token"], reason, "take one of random characters: openssl rand -hex 32");
  }
}
