import { AppError } from "../core/errors.ts";
import { OAuthRefusal, nonsense, readAnswer } from "./answer-failure.ts";
import { chooseClientAuthentication } from "./choose-client-authentication.ts";
import { quoteForeign } from "./foreign-text.ts";
import type {
  AuthorizationServer,
  ClientAuthentication,
  OAuthClient,
  OAuthDependencies,
} from "./oauth.ts";
import { hostOf } from "./sign-in-address.ts";

/** How a client of ours can show itself that is registered on the way, the simplest first. */
const ways = ["none", "client_secret_basic", "client_secret_post"] as const;

/** What is to be registered (RFC 7591 §2). */
export interface NewClient {
  clientName: string;
  redirectUri?: string | undefined;
  grantTypes: readonly string[];
  scope?: string | undefined;
}

/**
 * Registers a client (RFC 7591, OpenID Connect Dynamic Client Registration 1.0).
 * @throws AppError `usage` when the server wants one that was registered beforehand, `auth_rejected` when it refuses;
 *   `unreachable`, `timeout`
 */
export async function registerClient(
  server: AuthorizationServer,
  wanted: NewClient,
  { ask, learn, signal }: OAuthDependencies,
): Promise<OAuthClient> {
  const { issuer, registrationEndpoint: url, grantTypesSupported } = server;
  const way = wayOf(server);
  if (url === undefined || way === undefined) throw wantsOneBeforehand(issuer);
  const answer = await ask({
    method: "POST",
    url,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({
      client_name: wanted.clientName,
      application_type: "native",
      redirect_uris: wanted.redirectUri === undefined ? [] : [wanted.redirectUri],
      grant_types: wanted.grantTypes.filter(
        (type) => type !== "refresh_token" || grantTypesSupported?.includes(type) !== false,
      ),
      response_types: wanted.grantTypes.includes("authorization_code") ? ["code"] : [],
      token_endpoint_auth_method: way,
      ...(wanted.scope !== undefined && { scope: wanted.scope }),
    }),
    signal,
  });
  const json = registrationIn(issuer, () => readAnswer(url, answer));
  const { client_id: id, client_secret: secret } = json;
  if (typeof secret === "string") learn(secret);
  if (typeof id !== "string" || !/^[\x20-\x7e]{1,4096}$/u.test(id)) {
    throw nonsense(url, "it registers a client without an id");
  }
  const hasSecret = typeof secret === "string" && secret !== "";
  const authentication = authenticationOf(json["token_endpoint_auth_method"], server, {
    ...(hasSecret && { secret }),
  });
  return {
    id,
    authentication,
    ...(hasSecret && authentication !== "none" && { secret }),
    registered: true,
  };
}

/** What to ask for; undefined when the server takes nothing of what we could. */
function wayOf({ tokenEndpointAuthMethods }: AuthorizationServer): string | undefined {
  const takes = tokenEndpointAuthMethods ?? ["client_secret_basic"];
  return ways.find((way) => takes.includes(way));
}

/** As the server says, which may be another way than was asked for (RFC 7591 §3.2.1); else as the client can. */
function authenticationOf(
  said: unknown,
  { issuer, tokenEndpointAuthMethods }: AuthorizationServer,
  client: Pick<OAuthClient, "secret">,
): ClientAuthentication {
  const chosen = chooseClientAuthentication(client, tokenEndpointAuthMethods);
  if (typeof said !== "string") return chosen;
  const known = ways.find((way) => way === said);
  if (known === undefined) {
    throw new AppError(
      "auth_rejected",
      `${hostOf(issuer)} registers a client that is to show itself by ${quoteForeign(said)}, which cannot be done here`,
      { hint: beforehand },
    );
  }
  if (known !== "none" && client.secret === undefined) {
    throw nonsense(issuer, "it registers a client that needs a secret, and gives it none");
  }
  return known;
}

/** A refusal is about the registration: then what was registered by hand is the way. */
function registrationIn<T>(issuer: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "auth_rejected") throw error;
    const message = `${hostOf(issuer)} did not register this client. ${error.message}`;
    if (!(error instanceof OAuthRefusal)) {
      throw new AppError("auth_rejected", message, { hint: beforehand, cause: error });
    }
    throw new OAuthRefusal(message, error, { hint: beforehand, cause: error });
  }
}

const beforehand = "Register a client there by hand and give its id: --client-id <id>";

/** The server takes no clients on the way. */
function wantsOneBeforehand(issuer: string): AppError {
  return new AppError(
    "usage",
    `${hostOf(issuer)} wants a client that was registered with it beforehand`,
    { hint: beforehand },
  );
}
