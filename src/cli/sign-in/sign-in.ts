import { UntrustedCertificate } from "../../client/connection-failure.ts";
import { shownAddress, UnusableAnswer } from "../../client/http-json.ts";
import type { AuthenticationProbe } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import { limitsOf } from "../../core/scopes.ts";
import type { CredentialStore } from "../../profiles/credential-store.ts";
import type { SelectedStore } from "../../profiles/select-store.ts";
import type { Profile, ProfileKey, StoreKind } from "../../profiles/profile.ts";
import type { Context } from "../context.ts";
import { askedProfileName } from "../server-choice.ts";
import type { ServerChoice, ServerChoiceOptions } from "../server-choice.ts";
import type { AuthDependencies } from "./dependencies.ts";
import { chosenWay } from "./chosen-way.ts";
import { checkClientOptions } from "./given-client.ts";
import { findToken, renewable } from "./token-source.ts";
import type { FoundCredential, TokenSourceOptions, TokenTarget } from "./token-source.ts";

/** How long a server may take to end what is not kept, in milliseconds. */
const letGoMs = 3000;

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
  const way = chosenWay(options);
  checkClientOptions(options, way);
  if (!options.verify && way !== "any" && way !== "token" && way !== "local") {
    throw new AppError("usage", "--no-verify is for a token that is given, not for signing in");
  }
  const person = context.io.stdinIsTerminal && context.io.stderrIsTerminal;
  if (context.environment.ci && !person && (way === "web" || way === "device")) {
    throw new AppError("usage", `--${way} is for a person, and CI says that there is none`, {
      hint: "A token on stdin, or --client-credentials, signs a pipeline in",
    });
  }
  const key = { url: choice.canonical, name: askedProfileName(options, context) ?? "default" };
  const profiles = dependencies.openProfiles(context);
  const { signal } = context.deadline;

  const open = options.verify
    ? await askWithoutToken(choice.given, signal, dependencies)
    : undefined;
  if (open?.answer.kind === "open") return { kind: "not-needed" };

  // Before a token is asked for, so that none is minted or typed for nothing.
  const { store, keychainAbsence } = await profiles.storeFor(key, options.store);
  const target = targetOf(choice, key, open, context, dependencies);
  const found = await findToken(options, target, context, dependencies);

  try {
    return await proveAndSave(
      found,
      { key, choice, open, store, keychainAbsence },
      context,
      dependencies,
    );
  } catch (error) {
    await letGo(found, open?.endpoint ?? choice.given, context, dependencies);
    throw error;
  }
}

/** Nothing is saved that its server did not take, or the person did not want proved. */
async function proveAndSave(
  found: FoundCredential,
  {
    key,
    choice,
    open,
    store,
    keychainAbsence,
  }: {
    key: ProfileKey;
    choice: ServerChoice;
    open: { endpoint: string; answer: AuthenticationProbe } | undefined;
  } & SelectedStore,
  context: Context,
  dependencies: AuthDependencies,
): Promise<SignInResult> {
  const endpoint = found.minted?.by.url ?? open?.endpoint ?? choice.given;
  const proof = open && (await prove(found, { endpoint, choice, open }, context, dependencies));
  if (proof?.kind === "open") return { kind: "not-needed" };
  const { oauth } = found.credential;
  const masked = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : context.secrets.mask(text);
  const profile = await dependencies.openProfiles(context).save(
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
      // Of a token that was got just now our own clock counts, whatever it says of the time of day.
      expiresAtMs: found.expiresAtMs ?? proof?.expiresAtMs,
      renews: renewable(found),
      issuer: oauth && masked(oauth.issuer),
      scope: oauth && masked(oauth.scope),
    },
    found.credential,
    store,
  );
  return { kind: "saved", profile, store, keychainAbsence, verified: proof !== undefined };
}

/** What looking for a token needs to know of the server; what costs a request is asked for when it is needed. */
function targetOf(
  choice: ServerChoice,
  key: ProfileKey,
  open: { endpoint: string; answer: AuthenticationProbe } | undefined,
  context: Context,
  dependencies: AuthDependencies,
): TokenTarget {
  const answer = open?.answer;
  const required = answer?.kind === "required" ? answer : undefined;
  return {
    url: choice.given,
    runtime: choice.runtime,
    endpoint: open?.endpoint ?? choice.given,
    kind: answer?.server,
    ways: required?.ways,
    challenge: required?.challenge,
    async findSignIn() {
      if (required === undefined) return undefined;
      const { endpoint, challenge, server, ways } = required;
      // A gateway says itself whether it offers it, without a search.
      if (server === "onedoor" && !ways.some(({ type }) => type === "oauth")) return undefined;
      return dependencies.waysIn.find(endpoint, challenge, context);
    },
    async kept() {
      const profiles = dependencies.openProfiles(context);
      const earlier = await profiles.find(key.url, key.name);
      const oauth = earlier && (await profiles.credentialOf(earlier))?.oauth;
      return oauth && { issuer: oauth.issuer, client: oauth.client };
    },
  };
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
  { credential: { token, oauth } }: FoundCredential,
  at: { endpoint: string; choice: ServerChoice; open: { answer: AuthenticationProbe } },
  context: Context,
  dependencies: AuthDependencies,
): Promise<AuthenticationProbe & { kind: "accepted" | "open" }> {
  const { endpoint, choice, open } = at;
  const { signal } = context.deadline;
  let answer: AuthenticationProbe;
  try {
    answer = await dependencies.probeAuthentication(endpoint, token, signal, open.answer.server);
  } catch (error) {
    throw nothingSaved(error);
  }
  if (answer.kind === "accepted" || answer.kind === "open") return answer;
  throw new AppError(
    "auth_rejected",
    `Token rejected by ${shownAddress(choice.given)}; nothing saved, the earlier profile is unchanged`,
    {
      hint:
        oauth === undefined
          ? "Check that the token belongs to this server and has not expired"
          : `It came from ${new URL(oauth.issuer).host} just now: --scope may ask for more, and the server's operator knows what it takes`,
    },
  );
}

/** What was got for this sign-in, and is not kept, shall not go on being good. Nobody waits for that in vain. */
async function letGo(
  { credential: { token, oauth, session } }: FoundCredential,
  endpoint: string,
  context: Context,
  { keeping, revokeToken }: AuthDependencies,
): Promise<void> {
  const signal = AbortSignal.timeout(letGoMs);
  try {
    if (oauth !== undefined) await keeping.revokeGrant(oauth, token, context, signal);
    else if (session !== undefined) await revokeToken(endpoint, token, signal);
  } catch {
    // What is told is why it is not kept.
  }
}

function nothingSaved(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  // Where the certificate is not trusted, or another address is meant, a token saved unproved is of no use either.
  const useless = error instanceof UntrustedCertificate || error instanceof UnusableAnswer;
  const away = !useless && (error.code === "unreachable" || error.code === "timeout");
  return new AppError(error.code, `${error.message}; nothing saved`, {
    hint: away ? "--no-verify saves a token without asking the server" : error.hint,
    retryAfterSeconds: error.retryAfterSeconds,
    cause: error,
  });
}
