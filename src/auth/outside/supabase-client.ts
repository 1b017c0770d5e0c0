import type { SupabaseServer } from "../../core/configuration.ts";
import type { JsonObject } from "../../core/json.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";
import type { AskAuthServer, AuthServerAnswer, AuthServerRequest } from "./ask-auth-server.ts";
import { jsonObjectOf } from "./json-object-of.ts";
import { readSupabaseFault } from "./supabase-faults.ts";
import type { SupabaseFault } from "./supabase-faults.ts";

/** What the server answered, for good or ill; a fault may come with the seconds after which to try again. */
export type SupabaseAnswer =
  | { kind: "done"; body: JsonObject }
  | { kind: "fault"; fault: SupabaseFault; retryAfterSeconds?: number | undefined };

/** The endpoints of Supabase's auth server that are used here. Each throws AuthServerUnavailable. */
export interface SupabaseClient {
  /** `GET /user`: whose token it is. */
  user(token: string, options: { isUnproven: boolean }): Promise<SupabaseAnswer>;
  /** `POST /token?grant_type=password`. */
  passwordGrant(credentials: { email: string; password: string }): Promise<SupabaseAnswer>;
  /** `POST /token?grant_type=refresh_token`. */
  refreshGrant(refreshToken: string): Promise<SupabaseAnswer>;
  /** `POST /logout?scope=local`: ends the session of this token, and no other of the user. */
  logout(token: string): Promise<SupabaseAnswer>;
}

/** Since this version failures have a code in words. */
const apiVersion = { "x-supabase-api-version": "2024-01-01" };

/**
 * Speaks the protocol of Supabase Auth (github.com/supabase/auth, `openapi.yaml`). The project's key says for which
 * project a request is; it gives no right to anything.
 */
export function createSupabaseClient(
  { url, anonKey }: Pick<SupabaseServer, "url" | "anonKey">,
  ask: AskAuthServer,
): SupabaseClient {
  const send = async (
    path: string,
    request: Omit<AuthServerRequest, "url"> & { json?: JsonObject; token?: string },
  ): Promise<SupabaseAnswer> => {
    const { json, token, headers, ...rest } = request;
    return answerOf(
      await ask({
        ...rest,
        url: `${url}/auth/v1${path}`,
        headers: {
          apikey: anonKey,
          ...apiVersion,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body: json === undefined ? undefined : JSON.stringify(json),
      }),
    );
  };
  const grant = (type: string, json: JsonObject): Promise<SupabaseAnswer> =>
    send(`/token?grant_type=${type}`, { method: "POST", json, isUnproven: true });

  return {
    user: (token, { isUnproven }) => send("/user", { method: "GET", token, isUnproven }),
    passwordGrant: ({ email, password }) => grant("password", { email, password }),
    refreshGrant: (refreshToken) => grant("refresh_token", { refresh_token: refreshToken }),
    logout: (token) => send("/logout?scope=local", { method: "POST", token, isUnproven: true }),
  };
}

/** @throws AuthServerUnavailable for what is no answer of the auth server itself, or says that it cannot answer */
function answerOf(answer: AuthServerAnswer): SupabaseAnswer {
  const { status, body } = answer;
  if (status >= 200 && status < 300) {
    const read = status === 204 ? {} : jsonObjectOf(body);
    if (read !== undefined) return { kind: "done", body: read };
    throw new AuthServerUnavailable("The auth server answers something else than its protocol");
  }
  if (status >= 500) throw new AuthServerUnavailable(`The auth server fails (status ${status})`);
  const isTooOften = status === 429;
  const fault =
    readSupabaseFault(answer) ??
    (isTooOften ? { status, code: "over_request_rate_limit" } : undefined);
  if (fault !== undefined) {
    return { kind: "fault", fault, retryAfterSeconds: retryAfterOf(answer) };
  }
  // What is in front of it looks at the key first.
  if (status === 401) {
    throw new AuthServerUnavailable("The auth server does not accept the gateway's key (anonKey)", {
      isOurFault: true,
    });
  }
  throw new AuthServerUnavailable(`The auth server is not where it should be (status ${status})`);
}

/** Seconds (RFC 9110 §10.2.3), where they are some that anybody would wait. */
function retryAfterOf({ headers }: AuthServerAnswer): number | undefined {
  const seconds = Number(headers["retry-after"]);
  return Number.isInteger(seconds) && seconds > 0 && seconds <= 3600 ? seconds : undefined;
}
