import type { IntrospectionServer } from "../../core/configuration.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { scopesOf, timeOf } from "./access-token-claims.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AskAuthServer } from "./ask-auth-server.ts";
import type { AskAboutToken, Confirmation } from "./confirmations.ts";
import { jsonObjectOf } from "./json-object-of.ts";

/** How far the server's clock may be ahead of ours. */
const clockSkewMs = 60_000;

/**
 * Has a token confirmed by an introspection endpoint (RFC 7662), the gateway showing its own client credentials as
 * RFC 6749 §2.3.1 has it (`client_secret_basic`). Good is what is active, for one of the audiences, of the issuer,
 * and a bearer token: one that is bound to a key is not, as nobody here asks for the proof.
 * Whether it has expired is looked at where the answer is remembered.
 * @param options.endpoint the endpoint's URL. @throws AuthServerUnavailable
 * @param options.mayOmitIssuer whether an answer without `iss` is of the issuer: the endpoint is that issuer's own
 * @param options.now milliseconds since the epoch
 */
export function createIntrospection(options: {
  server: Pick<IntrospectionServer, "issuer" | "audience" | "clientId" | "clientSecret">;
  endpoint: () => Promise<string>;
  mayOmitIssuer: boolean;
  ask: AskAuthServer;
  now: () => number;
}): AskAboutToken {
  const { server, endpoint, mayOmitIssuer, ask, now } = options;
  const authorization = basicCredentials(server.clientId, server.clientSecret);

  const introspect = async (token: string, isUnproven: boolean): Promise<JsonObject> => {
    const { status, body } = await ask({
      method: "POST",
      url: await endpoint(),
      headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ token, token_type_hint: "access_token" }).toString(),
      isUnproven,
    });
    if (status === 401 || status === 403) {
      throw new AuthServerUnavailable(
        "The introspection endpoint does not accept the gateway's client credentials",
        { isOurFault: true },
      );
    }
    // What some say of a JWT that is not theirs to look into (the error code is RFC 7009's).
    const fault = status === 400 ? jsonObjectOf(body)?.["error"] : undefined;
    if (fault === "unsupported_token_type") return { active: false };
    if (status !== 200) {
      throw new AuthServerUnavailable(`The introspection endpoint fails (status ${status})`);
    }
    const told = jsonObjectOf(body);
    if (typeof told?.["active"] === "boolean") return told;
    throw new AuthServerUnavailable("The introspection endpoint answers something else");
  };

  return async (token, { isUnproven }) => {
    const told = await introspect(token, isUnproven);
    if (told["active"] !== true) {
      return { kind: "not-mine", reason: "The auth server does not call the token active" };
    }
    const fault = faultOf(told, now()) ?? issuerFault(told["iss"]) ?? audienceFault(told["aud"]);
    return fault ?? confirmationOf(told);
  };

  function issuerFault(issuer: Json | undefined): Confirmation | undefined {
    if (server.issuer === undefined || issuer === server.issuer) return undefined;
    if (issuer === undefined && mayOmitIssuer) return undefined;
    return { kind: "not-mine", reason: "The token is another issuer's" };
  }

  function audienceFault(audience: Json | undefined): Confirmation | undefined {
    const named = Array.isArray(audience) ? audience : [audience];
    if (server.audience.length === 0 || server.audience.some((each) => named.includes(each))) {
      return undefined;
    }
    return { kind: "rejected", reason: "The token is for another audience" };
  }
}

/** What limits the token, and cannot be read, is not taken for no limit. */
function confirmationOf(told: JsonObject): Confirmation {
  const scopes = scopesOf(told);
  if (scopes === undefined) return malformed("scope");
  const { exp } = told;
  const expiresAtMs = exp === undefined ? undefined : timeOf(exp);
  if (exp !== undefined && expiresAtMs === undefined) return malformed("exp");
  return { kind: "confirmed", claims: told, scopes, expiresAtMs };
}

function malformed(claim: string): Confirmation {
  return { kind: "rejected", reason: `The token's ${claim} is malformed` };
}

/** What the server should not have called active here, but some do: what is not an access token, or not one alone. */
function faultOf(told: JsonObject, nowMs: number): Confirmation | undefined {
  const { cnf, token_type: type, token_use: use, typ, nbf } = told;
  const notBeforeMs = nbf === undefined ? undefined : timeOf(nbf);
  if (nbf !== undefined && notBeforeMs === undefined) return malformed("nbf");
  if (notBeforeMs !== undefined && notBeforeMs > nowMs + clockSkewMs) {
    return { kind: "rejected", reason: "The token is not good yet" };
  }
  if (cnf !== undefined || (type !== undefined && !isWord(type, ["bearer"]))) {
    return { kind: "rejected", reason: "The token is bound to a key, or of another type" };
  }
  if (isWord(use, ["refresh_token", "refresh", "id_token", "id"]) || isWord(typ, ["refresh", "id"]))
    return { kind: "rejected", reason: "The token is not an access token" };
  return undefined;
}

function isWord(value: Json | undefined, words: readonly string[]): boolean {
  return typeof value === "string" && words.includes(value.toLowerCase());
}

/** Both parts are encoded as in a form first (RFC 6749 §2.3.1), so that they may hold anything. */
function basicCredentials(id: string, secret: string): string {
  const encoded = [id, secret].map((part) => new URLSearchParams([["", part]]).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(":")).toString("base64")}`;
}
