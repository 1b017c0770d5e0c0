import { shownAddress } from "../../client/http-json.ts";
import { proxyFor } from "../../client/network.ts";
import type { AuthenticationProbe } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import { limitsOf } from "../../core/scopes.ts";
import { timeLimit } from "../../core/time-limit.ts";
import type { CredentialStore } from "../../profiles/credential-store.ts";
import { KeychainError } from "../../profiles/keychain-error.ts";
import type { SelectedStore } from "../../profiles/select-store.ts";
import type { Profile, ProfileKey, StoreKind } from "../../profiles/profile.ts";
import type { Context } from "../context.ts";
import { isPiped } from "../is-piped.ts";
import { loginHint } from "../login-hint.ts";
import { askedProfileName } from "../server-choice.ts";
import type { ServerChoice, ServerChoiceOptions } from "../server-choice.ts";
import type { AuthDependencies } from "./dependencies.ts";
import { chosenWay, loginHelp } from "./chosen-way.ts";
import type { ChosenWay } from "./chosen-way.ts";
import { checkClientOptions } from "./given-client.ts";
import { heedStranger } from "./heed-stranger.ts";
import { nothingSaved, orNothingSaved } from "./or-nothing-saved.ts";
import type { Ring } from "./or-nothing-saved.ts";
import { findToken } from "./token-source.ts";
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
  const key = { url: choice.canonical, name: askedProfileName(options, context) ?? "default" };
  const login = loginHint({ url: choice.given, name: key.name }, options);
  const takesUnproved = way === "any" || way === "token" || way === "local";
  if (!options.verify && !takesUnproved) {
    throw new AppError("usage", "--no-verify is for a token that is given, not for signing in", {
      hint: loginHelp,
    });
  }
  if (context.environment.ci && (way === "web" || way === "device")) {
    throw new AppError("usage", `--${way} is for a person, and CI says that there is none`, {
      hint: `${login} < token.txt; or ${login} --client-credentials --client-id <id> (its secret on stdin)`,
    });
  }
  const profiles = dependencies.openProfiles(context);
  const ring: Ring = { key, profiles };
  await heedStranger(choice, context, profiles);

  const askOpenly = (): ReturnType<typeof askWithoutToken> =>
    askWithoutToken(choice.given, context.deadline.signal, dependencies);
  const unproved = { ...ring, hint: () => unprovedHint(way, choice, context) };
  const open = options.verify ? await orNothingSaved(askOpenly, unproved) : undefined;
  if (open?.answer.kind === "open") return { kind: "not-needed" };

  // Before a token is asked for, so that none is minted or typed for nothing. Somebody may have to unlock a keychain: no
  // time of the command's.
  const { store, keychainAbsence } = await context.deadline
    .outside(() => profiles.storeFor(key, options.store))
    .catch((error: unknown) => {
      if (!(error instanceof KeychainError)) throw error;
      const { code, message } = error;
      throw new AppError(code, message, { hint: `${login} --store file`, cause: error });
    });
  const target = targetOf(choice, { key, login, open }, context, dependencies);
  const findIt = (): Promise<FoundCredential> => findToken(options, target, context, dependencies);
  const found = await orNothingSaved(findIt, ring);

  let result: SignInResult | undefined;
  try {
    const endpoint = found.minted?.by.url ?? open?.endpoint ?? choice.given;
    const at = { ...unproved, endpoint, choice, open };
    const proof = open && (await prove(found, { ...at, open }, context, dependencies));
    result =
      proof?.kind === "open"
        ? { kind: "not-needed" }
        : await save(found, { ...at, proof, store, keychainAbsence }, context);
    return result;
  } finally {
    if (result?.kind !== "saved") {
      await letGo(found, open?.endpoint ?? choice.given, context, dependencies);
    }
  }
}

/** What helps who has a token where its server cannot be asked; with a proxy in between, that is to blame as well. */
function unprovedHint(
  way: ChosenWay,
  { given }: ServerChoice,
  { io }: Context,
): string | undefined {
  const isGiven = way === "token" || (way === "any" && isPiped(io.stdin));
  return isGiven && proxyFor(new URL(given)) === undefined
    ? "--no-verify saves a token without asking the server"
    : undefined;
}

/** Keeps what its server took, or what the person did not want proved. */
async function save(
  found: FoundCredential,
  of: {
    choice: ServerChoice;
    endpoint: string;
    proof: (AuthenticationProbe & { kind: "accepted" }) | undefined;
  } & SelectedStore &
    Ring,
  context: Context,
): Promise<SignInResult> {
  const { key, profiles, choice, endpoint, proof, store, keychainAbsence } = of;
  const { oauth } = found.credential;
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
      // Of a token that was got just now our own clock counts, whatever it says of the time of day.
      expiresAtMs: found.expiresAtMs ?? proof?.expiresAtMs,
      issuer: oauth && masked(oauth.issuer),
      scope: oauth && masked(oauth.scope),
    },
    found.credential,
    store,
    context.deadline.signal,
  );
  return { kind: "saved", profile, store, keychainAbsence, verified: proof !== undefined };
}

/** What looking for a token needs to know of the server; what costs a request is asked for when it is needed. */
function targetOf(
  choice: ServerChoice,
  of: {
    key: ProfileKey;
    login: string;
    open: { endpoint: string; answer: AuthenticationProbe } | undefined;
  },
  context: Context,
  dependencies: AuthDependencies,
): TokenTarget {
  const { key, login, open } = of;
  const answer = open?.answer;
  const required = answer?.kind === "required" ? answer : undefined;
  return {
    url: choice.given,
    login,
    runtime: choice.runtime,
    endpoint: open?.endpoint ?? choice.given,
    kind: answer?.server,
    ways: required?.ways,
    challenge: required?.challenge,
    async findSignIn(issuer) {
      if (required === undefined) return undefined;
      const { endpoint, challenge, server, ways } = required;
      // A gateway says itself whether it offers it, without a search.
      if (server === "onedoor" && !ways.some(({ type }) => type === "oauth")) return undefined;
      return dependencies.waysIn.find(endpoint, challenge, context, issuer);
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
    if (!refused || second === undefined) throw error;
    try {
      const answer = await dependencies.probeAuthentication(second, undefined, signal);
      return { endpoint: second, answer };
    } catch {
      // The address that people mean is the one to complain about.
      throw error;
    }
  }
}

/**
 * Shows the token to the server.
 * @throws AppError `auth_rejected`; what keeps the server from judging
 */
async function prove(
  { credential: { token, oauth } }: FoundCredential,
  at: { endpoint: string; choice: ServerChoice; open: { answer: AuthenticationProbe } } & Ring,
  context: Context,
  dependencies: AuthDependencies,
): Promise<AuthenticationProbe & { kind: "accepted" | "open" }> {
  const { endpoint, choice, open } = at;
  const { signal } = context.deadline;
  const answer = await orNothingSaved(
    () => dependencies.probeAuthentication(endpoint, token, signal, open.answer.server),
    at,
  );
  if (answer.kind === "accepted" || answer.kind === "open") return answer;
  throw new AppError(
    "auth_rejected",
    `Token rejected by ${shownAddress(choice.given)}; ${await nothingSaved(at)}`,
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
  { credential, source, minted }: FoundCredential,
  endpoint: string,
  context: Context,
  { keeping }: AuthDependencies,
): Promise<void> {
  // One that was given is its giver's.
  if (source === "option" || source === "stdin") return;
  const signal = timeLimit(letGoMs);
  // What is told is why it is not kept.
  await keeping.end(credential, minted?.by.url ?? endpoint, context, signal).catch(() => undefined);
}
