import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";
import { callerKey } from "../core/client-port.ts";
import type { Caller } from "../core/client-port.ts";
import type { JsonObject } from "../core/json.ts";
import { renewSoon } from "./renew-soon.ts";
import { standingOver } from "./standing.ts";
import type { Standing } from "./standing.ts";

/** Says to upstream servers on whose behalf the gateway asks them, in tokens of its own making. */
export interface IdentityTokens {
  /** What they are verified with (RFC 7517 §5): the public half of one key, made with this object and kept nowhere. */
  readonly keys: { keys: PublicKey[] };
  /**
   * A JWT (RFC 9068, `typ: at+jwt`, ES256) for one server, to be shown by the gateway. The same one for the same
   * caller, project and server until half of its life is over. It says what the caller holds now.
   * @param audience the server's URL as it is configured
   * @param caller undefined: the gateway asks on its own account
   * @throws AppError `auth_rejected` for a caller whose credential is not good any more
   */
  tokenFor(audience: string, caller: Caller | undefined): Promise<string>;
}

/** As RFC 7517 §4 and RFC 7518 §6.2.1 write it. */
interface PublicKey {
  kty: string;
  crv: string;
  x: string;
  y: string;
  kid: string;
  use: "sig";
  alg: "ES256";
}

export interface IdentityTokensOptions {
  /** `iss`: where the gateway is reached; may be known only once it listens. */
  issuer: Promise<string>;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  /** As what callers are let in now. */
  standing: Pick<Standing, "renew">;
}

/** Long enough for a request's way and for clocks that differ, too short to be of use elsewhere. */
const lifetimeMs = 120_000;
/** Of each some 700 bytes. */
const mostKept = 10_000;
/** Who the gateway itself is in `sub`, and the client of all requests (RFC 9068 §2.2). */
const gatewayName = "onedoor";

export function createIdentityTokens(options: IdentityTokensOptions): IdentityTokens {
  const { issuer, now, newId, standing } = options;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { kty = "", crv = "", x = "", y = "" }: JsonWebKey = publicKey.export({ format: "jwk" });
  const kid = thumbprint({ kty, crv, x, y });
  /** Oldest first. */
  const kept = new Map<string, { token: string; freshUntilMs: number }>();

  const renewed = async (caller: Caller | undefined): Promise<Caller | undefined> => {
    if (caller === undefined) return undefined;
    const principal = await renewSoon(standing, caller.principal, now);
    if (principal === undefined) throw standingOver();
    return { principal, projectId: caller.projectId };
  };
  const make = (iss: string, audience: string, caller: Caller | undefined): string => {
    const issuedAt = Math.floor(now() / 1000);
    return signed(privateKey, kid, {
      iss,
      aud: audience,
      iat: issuedAt,
      exp: issuedAt + lifetimeMs / 1000,
      jti: newId(),
      client_id: gatewayName,
      ...claimsOf(caller),
    });
  };

  return {
    keys: { keys: [{ kty, crv, x, y, kid, use: "sig", alg: "ES256" }] },
    async tokenFor(audience, asking) {
      const caller = await renewed(asking);
      const key = keyOf(audience, caller);
      const known = kept.get(key);
      // A clock that was put back makes no token of the future out of one.
      const leftMs = known === undefined ? 0 : known.freshUntilMs - now();
      if (known !== undefined && leftMs > 0 && leftMs <= lifetimeMs / 2) return known.token;
      const token = make(await issuer, audience, caller);
      kept.delete(key);
      kept.set(key, { token, freshUntilMs: now() + lifetimeMs / 2 });
      for (const [oldest] of kept) {
        if (kept.size <= mostKept) break;
        kept.delete(oldest);
      }
      return token;
    },
  };
}

function keyOf(audience: string, caller: Caller | undefined): string {
  return JSON.stringify([audience, caller && callerKey(caller)]);
}

/**
 * What is not known is left out: no organisation, no role, no project. One name may mean several, as somebody whom
 * an outside issuer calls as we call our own: `sub` names one only together with `auth_type`.
 */
function claimsOf(caller: Caller | undefined): JsonObject {
  if (caller === undefined) return { sub: gatewayName, auth_type: "system" };
  const { principal, projectId } = caller;
  const { userId, displayName, email, organizationId, role, method } = principal;
  return {
    sub: userId,
    auth_type: method,
    name: displayName,
    ...(email !== undefined && { email }),
    ...(organizationId !== null && { org_id: organizationId }),
    ...(role !== null && { role }),
    ...(projectId !== null && { project_id: projectId }),
  };
}

/** RFC 7515, compact; ES256 has its two numbers side by side (RFC 7518 §3.4). */
function signed(key: KeyObject, kid: string, claims: JsonObject): string {
  const head = { alg: "ES256", typ: "at+jwt", kid };
  const input = [head, claims].map((part) => encoded(JSON.stringify(part))).join(".");
  const signature = sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64url");
}

/** RFC 7638: the required members of an EC key, in this order. */
function thumbprint({ crv, kty, x, y }: Record<"crv" | "kty" | "x" | "y", string>): string {
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
}
