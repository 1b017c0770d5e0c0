import type { AuthConfiguration } from "../core/configuration.ts";
import type { WrittenAuth } from "./auth-schema.ts";
import { toBearerConfiguration, toOAuthConfiguration } from "./asked-server.ts";
import { doubtAudience } from "./announced-resource.ts";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";
import { createFindings } from "./findings.ts";
import type { Findings } from "./findings.ts";
import { toIdentityMapping } from "./identity-mapping.ts";
import { toJwtRules } from "./jwt-rules.ts";
import { toStaticTokens } from "./static-tokens.ts";
import { toSupabaseServer } from "./supabase-server.ts";

/** One entry, and what is allowed in it, and seldom meant. */
export interface ReadAuth {
  entry: AuthConfiguration;
  doubts: readonly ConfigurationProblem[];
}

/**
 * The `auth` entries with their defaults (contract §4 "auth"). `auth` absent means the default, `local`. Reasons never
 * repeat a secret.
 * @param options.insecureHttp whether auth servers may be asked over plain http
 * @param options.externalUrl as it is written, or as the command line has it
 */
export function toAuthConfigurations(
  written: WrittenAuth | readonly WrittenAuth[] | undefined,
  { insecureHttp, externalUrl }: { insecureHttp: boolean; externalUrl?: string | undefined },
): { auth: ReadAuth[]; problems: ConfigurationProblem[] } {
  if (written === undefined)
    return { auth: [{ entry: { type: "local" }, doubts: [] }], problems: [] };
  const list = isList(written);
  const entries = list ? written : [written];
  const problems: ConfigurationProblem[] = [];
  const seen = new Set<string>();
  const auth = entries.flatMap((each, index): ReadAuth[] => {
    const path: KeyPath = list ? ["auth", index] : ["auth"];
    if (seen.has(each.type)) {
      problems.push({ path: [...path, "type"], reason: `"${each.type}" stands in the list twice` });
      return [];
    }
    seen.add(each.type);
    const findings = createFindings([...path, "options"]);
    const entry = toEntry(each, findings, insecureHttp);
    if (entry?.type === "oauth") doubtAudience(entry.check.audience, externalUrl, findings);
    problems.push(...findings.problems);
    return entry === undefined ? [] : [{ entry, doubts: findings.doubts }];
  });
  if (seen.has("none") && entries.length > 1) {
    problems.push({ path: ["auth"], reason: '"none" stands alone: it lets everybody in' });
  }
  return { auth, problems };
}

function isList(written: WrittenAuth | readonly WrittenAuth[]): written is readonly WrittenAuth[] {
  return Array.isArray(written);
}

/** Undefined: it is reported what is wrong. */
function toEntry(
  written: WrittenAuth,
  findings: Findings,
  insecureHttp: boolean,
): AuthConfiguration | undefined {
  switch (written.type) {
    case "local":
    case "none":
      return { type: written.type };
    case "token":
      return { type: "token", tokens: toStaticTokens(written.options, findings) };
    case "simple": {
      const options = written.options ?? {};
      if (Object.keys(options).length === 0) return { type: "simple", users: "own" };
      const server = toSupabaseServer(options, findings, insecureHttp);
      const mapping = toIdentityMapping(options, "id", findings);
      return server && { type: "simple", users: "supabase", server, mapping };
    }
    case "bearer":
      return toBearerConfiguration(written.options, findings, insecureHttp);
    case "jwt":
      return {
        type: "jwt",
        rules: toJwtRules(written.options, findings, insecureHttp),
        mapping: toIdentityMapping(written.options, "sub", findings),
      };
    case "oauth":
      return toOAuthConfiguration(written.options, findings, insecureHttp);
  }
}
