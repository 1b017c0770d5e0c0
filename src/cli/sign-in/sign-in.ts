import { shownAddress, UntrustedCertificate } from "../../client/http-json.ts";
import type { AuthenticationProbe } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import { limitsOf } from "../../core/scopes.ts";
import type { CredentialStore } from "../../profiles/credential-store.ts";
import type { Profile, StoreKind } from "../../profiles/profile.ts";
import type { Context } from "../context.ts";
import { askedProfileName } from "../server-choice.ts";
import type { ServerChoice, ServerChoiceOptions } from "../server-choice.ts";
import type { AuthDependencies } from "./dependencies.ts";
import { findToken } from "./token-source.ts";
import type { TokenSourceOptions } from "./token-source.ts";

export interface SignInOptions extends ServerChoiceOptions, TokenSourceOptions {
  store?: StoreKind | undefined;
  verify: boolean;
}

export type SignInResult =
  | { kind: "not-needed" }
  | {
      kind: "saved";
      profile: Profile;
      store: CredentialStore;
      /** Why the store is a file although nobody asked for one. */
      keychainAbsence: string | undefined;
      verified: boolean;
    };

/**
 * Signs in to a server: asks whether it wants that at all, finds a token, proves it there, and only then
 * saves it. Whatever fails leaves an earlier profile as it was.
 * @throws AppError `auth_rejected`, `unreachable`, `timeout`, `usage`, `store_unavailable`, …
 */
export async function signIn(
  choice: ServerChoice,
  options: SignInOptions,
  context: Context,
  dependencies: AuthDependencies,
): Promise<SignInResult> {
  const key = { url: choice.canonical, name: askedProfileName(options, context) ?? "default" };
  const profiles = dependencies.openProfiles(context);
  const { signal } = context.deadline;

  const open = options.verify
    ? await askWithoutToken(choice.given, signal, dependencies)
    : undefined;
  if (open?.answer.kind === "open") return { kind: "not-needed" };

  // Before a token is asked for, so that none is minted or typed for nothing.
  const { store, keychainAbsence } = await profiles.storeFor(key, options.store);
  const ways = open?.answer.kind === "required" ? open.answer.ways : undefined;
  const target = { url: choice.given, runtime: choice.runtime, ways };
  const found = await findToken(options, target, context, dependencies);

  const endpoint = found.minted?.by.url ?? open?.endpoint ?? choice.given;
  const proof = open
    ? await prove(found.token, endpoint, open.answer.server, signal, dependencies)
    : undefined;
  if (proof?.kind === "open") return { kind: "not-needed" };
  const masked = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : context.secrets.mask(text);
  const profile = await profiles.save(
    {
      ...key,
      endpoint: choice.given,
      verifiedEndpoint: endpoint === choice.given ? undefined : endpoint,
      source: found.source,
      server: proof?.server ?? (choice.runtime && "onedoor"),
      instanceId: found.minted?.by.instanceId,
      tokenId: found.minted?.tokenId,
      // The metadata lies beside the secret, not in its store: a server that says the token is our name
      // does not bring it there.
      who: masked(proof?.who) ?? found.minted?.userId,
      // What a token for `/metrics` alone may is not what its role says.
      role:
        proof?.scopes !== undefined && !limitsOf(proof.scopes).opens
          ? undefined
          : (masked(proof?.role ?? undefined) ?? found.minted?.role),
      expiresAtMs: proof?.expiresAtMs ?? found.minted?.expiresAtMs,
    },
    found.token,
    store,
  );
  return { kind: "saved", profile, store, keychainAbsence, verified: proof !== undefined };
}

/**
 * The endpoints an address may stand for. `localhost` in plain http is two listeners, which may be two
 * programs: what was verified must be what is asked later, so each is tried by its literal. With TLS the name
 * is part of the proof and stays.
 */
function literalEndpoints(endpoint: string): string[] {
  const url = new URL(endpoint);
  if (url.protocol !== "http:" || !/^localhost\.?$/u.test(url.hostname)) return [endpoint];
  return ["127.0.0.1", "[::1]"].map((host) => {
    url.hostname = host;
    return url.href;
  });
}

/** Asks without a credential what the server wants, and finds out which of its addresses answers. */
async function askWithoutToken(
  endpoint: string,
  signal: AbortSignal,
  dependencies: AuthDependencies,
): Promise<{ endpoint: string; answer: AuthenticationProbe }> {
  const [first = endpoint, ...others] = literalEndpoints(endpoint);
  try {
    const answer = await dependencies.probeAuthentication(first, undefined, signal);
    return { endpoint: first, answer };
  } catch (error) {
    const refused = error instanceof AppError && error.code === "unreachable";
    const [second] = others;
    if (!refused || second === undefined) throw nothingSaved(error);
    try {
      const answer = await dependencies.probeAuthentication(second, undefined, signal);
      return { endpoint: second, answer };
    } catch {
      // The address that people mean is the one to complain about.
      throw nothingSaved(error);
    }
  }
}

/**
 * Shows the token to the server.
 * @throws AppError `auth_rejected`; what keeps the server from judging
 */
async function prove(
  token: string,
  endpoint: string,
  server: "onedoor" | "mcp",
  signal: AbortSignal,
  dependencies: AuthDependencies,
): Promise<AuthenticationProbe & { kind: "accepted" | "open" }> {
  let answer: AuthenticationProbe;
  try {
    answer = await dependencies.probeAuthentication(endpoint, token, signal, server);
  } catch (error) {
    throw nothingSaved(error);
  }
  if (answer.kind === "accepted" || answer.kind === "open") return answer;
  throw new AppError(
    "auth_rejected",
    `Token rejected by ${shownAddress(endpoint)}; nothing saved, the earlier profile is unchanged`,
    { hint: "Check that the token belongs to this server and has not expired" },
  );
}

function nothingSaved(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  // Where the certificate is not trusted, a token saved unproved could not be used either.
  const isAway = error.code === "unreachable" || error.code === "timeout";
  const away = isAway && !(error instanceof UntrustedCertificate);
  return new AppError(error.code, `${error.message}; nothing saved`, {
    hint: away ? "--no-verify saves a token without asking the server" : error.hint,
    retryAfterSeconds: error.retryAfterSeconds,
    cause: error,
  });
}
