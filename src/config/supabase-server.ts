import type { SupabaseServer } from "../core/configuration.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import type { Findings } from "./findings.ts";
import { checkOutsideUrl } from "./outside-url.ts";

export const defaultCacheSeconds = 30;
// RFC 9110 §5.5, as one word.
const headerWord = /^[\x21-\x7e]+$/;
/** Roles of Postgres that row level security does not stop, as Supabase gives them to keys. */
const mightyRoles = ["service_role", "supabase_admin", "postgres"];

interface Written {
  url?: string | undefined;
  anonKey?: string | undefined;
  cacheSeconds?: number | undefined;
}

/** A Supabase project as `simple` and `bearer` ask it; undefined: it is reported what is wrong. */
export function toSupabaseServer(
  { url, anonKey, cacheSeconds = defaultCacheSeconds }: Written,
  findings: Findings,
  insecureHttp: boolean,
): SupabaseServer | undefined {
  if (url === undefined) findings.problem([], "needs url, the address of the Supabase project");
  if (anonKey === undefined) findings.problem([], "needs anonKey, the project's publishable key");
  if (url === undefined || anonKey === undefined) return undefined;
  const fault = faultOfKey(anonKey);
  if (fault !== undefined) {
    findings.problem(["anonKey"], fault, "take the publishable (anon) key of the project");
  }
  if (!checkOutsideUrl(url, ["url"], findings, { insecureHttp, query: false })) return undefined;
  const project = url.replace(/\/+$/u, "");
  if (/\/auth\/v1(?:\/|$)/u.test(project)) {
    findings.problem(["url"], "is the address of the project, without /auth/v1");
  }
  return { kind: "supabase", url: project, anonKey, cacheMs: Math.round(cacheSeconds * 1000) };
}

/** A key that may do everything must not lie in a gateway that only asks who somebody is. */
function faultOfKey(key: string): string | undefined {
  if (!headerWord.test(key)) return "holds characters that a header cannot carry, or spaces";
  if (/^sb_secret_/iu.test(key)) return "is a secret key, which may do everything in the project";
  const role = roleInKey(key);
  const mighty = mightyRoles.find((known) => known === role);
  return mighty !== undefined
    ? `is a key with the role ${mighty}, which may do everything in the project`
    : undefined;
}

/** `role` of a key that is a JWT (RFC 7519 §3); undefined for any other. */
function roleInKey(key: string): Json | undefined {
  try {
    const [, payload = ""] = key.split(".");
    const claims: Json = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return isJsonObject(claims) ? claims["role"] : undefined;
  } catch {
    return undefined;
  }
}
