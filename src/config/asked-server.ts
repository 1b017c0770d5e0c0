import type { AuthConfiguration } from "../core/configuration.ts";
import type { WrittenAuthOf } from "./auth-schema.ts";
import type { Findings } from "./findings.ts";
import { toIdentityMapping } from "./identity-mapping.ts";
import { toAudience, toJwtRules } from "./jwt-rules.ts";
import { checkOutsideUrl } from "./outside-url.ts";
import { defaultCacheSeconds, toSupabaseServer } from "./supabase-server.ts";

type Entry<Type extends AuthConfiguration["type"]> = Extract<AuthConfiguration, { type: Type }>;

const onlyWithIntrospection = ["clientId", "clientSecret", "issuer", "audience", "scopes"] as const;

/** Type `bearer`: a Supabase project, or an introspection endpoint (RFC 7662). Undefined: it is reported what is wrong. */
export function toBearerConfiguration(
  options: WrittenAuthOf<"bearer">["options"],
  findings: Findings,
  insecureHttp: boolean,
): Entry<"bearer"> | undefined {
  const { url, anonKey, introspectionUrl, clientId, clientSecret, issuer } = options;
  const isSupabase = url !== undefined || anonKey !== undefined;
  if (introspectionUrl === undefined) {
    if (!isSupabase) {
      const reason = "needs url and anonKey, or introspectionUrl, clientId and clientSecret";
      findings.problem([], reason);
      return undefined;
    }
    for (const key of onlyWithIntrospection) {
      if (options[key] !== undefined) findings.problem([key], "belongs to introspectionUrl");
    }
    const server = toSupabaseServer(options, findings, insecureHttp);
    const mapping = toIdentityMapping(options, "id", findings);
    return server && { type: "bearer", server, mapping };
  }
  if (isSupabase) {
    const key = url === undefined ? "anonKey" : "url";
    findings.problem([key], "stands beside introspectionUrl; write one of them");
    return undefined;
  }
  checkOutsideUrl(introspectionUrl, ["introspectionUrl"], findings, { insecureHttp, query: true });
  if (options.audience === undefined) {
    const reason = "names no audience, so tokens count that the server gave out for anything else";
    findings.doubt([], reason, "write audience, as the tokens for this gateway have it");
  }
  const mapping = toIdentityMapping(options, "sub", findings);
  if (clientId === undefined || clientSecret === undefined) {
    const missing = clientId === undefined ? "clientId" : "clientSecret";
    findings.problem([], `needs ${missing}, with which the gateway asks introspectionUrl`);
    return undefined;
  }
  return {
    type: "bearer",
    server: {
      kind: "introspection",
      url: introspectionUrl,
      issuer,
      audience: toAudience(options.audience),
      clientId,
      clientSecret,
      cacheMs: cacheMs(options),
    },
    mapping,
  };
}

/** Type `oauth`: an external authorization server, whose tokens are checked as JWTs, or by asking it. */
export function toOAuthConfiguration(
  options: WrittenAuthOf<"oauth">["options"],
  findings: Findings,
  insecureHttp: boolean,
): Entry<"oauth"> {
  const { issuer, introspection } = options;
  const mapping = toIdentityMapping(options, "sub", findings);
  if (introspection === undefined) {
    // Clients are sent there, so it is an address, wherever the keys are.
    if (options.jwksUri !== undefined) {
      checkOutsideUrl(issuer, ["issuer"], findings, { insecureHttp, query: false });
    }
    const check = toJwtRules(options, findings, insecureHttp);
    return { type: "oauth", issuer, check, mapping };
  }
  checkOutsideUrl(issuer, ["issuer"], findings, { insecureHttp, query: false });
  for (const key of ["algorithms", "jwksUri"] as const) {
    if (options[key] === undefined) continue;
    findings.problem([key], "stands beside introspection, which asks the server instead");
  }
  const { url, clientId, clientSecret } = introspection;
  if (url !== undefined) {
    const key = ["introspection", "url"];
    checkOutsideUrl(url, key, findings, { insecureHttp, query: true });
  }
  return {
    type: "oauth",
    issuer,
    check: {
      kind: "introspection",
      url,
      issuer,
      audience: toAudience(options.audience),
      clientId,
      clientSecret,
      cacheMs: cacheMs(introspection),
    },
    mapping,
  };
}

function cacheMs({
  cacheSeconds = defaultCacheSeconds,
}: {
  cacheSeconds?: number | undefined;
}): number {
  return Math.round(cacheSeconds * 1000);
}
