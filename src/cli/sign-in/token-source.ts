import { shownAddress } from "../../client/http-json.ts";
import type { ServerKind } from "../../client/identify.ts";
import type { OfferedWay } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import { renewsItself } from "../../oauth/oauth.ts";
import type {
  BearerChallenge,
  GrantedToken,
  OAuthClient,
  SignInTarget,
} from "../../oauth/oauth.ts";
import type { ProfileSource } from "../../profiles/profile.ts";
import type { StoredCredential } from "../../profiles/stored-credential.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { Context } from "../context.ts";
import { chosenWay } from "./chosen-way.ts";
import type { WayOptions } from "./chosen-way.ts";
import { cleanToken } from "./clean-token.ts";
import type { AuthDependencies } from "./dependencies.ts";
import { givenClient } from "./given-client.ts";
import type { ClientOptions } from "./given-client.ts";
import { isPiped, readTokenLine } from "./read-token-line.ts";
import { stepsOf } from "./steps-of.ts";
import type { SignedIn } from "./ways-in.ts";

/** A bearer that was found, not yet proved. */
export interface FoundCredential {
  credential: StoredCredential;
  source: ProfileSource;
  /** Milliseconds since the epoch, by this machine's clock. */
  expiresAtMs?: number | undefined;
  /** Of a minted local token. */
  minted?: { tokenId: string; role: string; userId: string; by: RuntimeRecord };
}

export interface TokenSourceOptions extends WayOptions, ClientOptions {
  /** In place of the scopes that the server names. */
  scope?: string | undefined;
  callbackPort?: number | undefined;
  /** Of a sign-in with a password: the organisation to act in. */
  organization?: string | undefined;
  stdinTimeoutMs: number;
}

/** The server that a token is looked for. */
export interface TokenTarget {
  /** As it was given, for messages and questions. */
  url: string;
  /** Set when the server is the running gateway of this user. */
  runtime: RuntimeRecord | undefined;
  /** Its address that answered, where the given one may stand for several: a password goes nowhere else. */
  endpoint: string;
  /** What it is, what it offers, and what its refusal said; undefined when it was not asked. */
  kind: ServerKind | undefined;
  ways: readonly OfferedWay[] | undefined;
  challenge: BearerChallenge | undefined;
  /** Where OAuth's discovery begins; asked for once, when it is needed. */
  findSignIn: () => Promise<SignInTarget | undefined>;
  /** The client of an earlier profile. */
  kept: () => Promise<{ issuer: string; client: OAuthClient } | undefined>;
}

/**
 * Finds the token of a sign-in (contract §2 "Which token"): the way that the command line names, else `--token`, stdin
 * where it is a pipe, a file or a socket, one that the gateway of this user mints, and on a terminal the browser or the
 * password. Waiting for stdin or for a person is outside the deadline.
 * @throws AppError `usage` when no way leads to a token, or the token is malformed; what the way throws
 */
export async function findToken(
  options: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
  dependencies: AuthDependencies,
): Promise<FoundCredential> {
  const way = chosenWay(options);
  if (options.organization !== undefined && way !== "password" && way !== "any") {
    throw new AppError("usage", "--organization is for signing in with a password (--email)");
  }
  switch (way) {
    case "local":
      return mintAsked(target, context, dependencies);
    case "token":
      return givenToken(options.token ?? "", context);
    case "web":
    case "device":
    case "client":
      return byOAuth(way, await offeredSignIn(target), options, target, context, dependencies);
    case "password":
      return byPassword(options, target, context, dependencies);
    case "any":
      return (
        (await pipedToken(options.stdinTimeoutMs, context)) ??
        (await mintWhereOffered(target, context, dependencies)) ??
        (await askPerson(options, target, context, dependencies))
      );
  }
}

function givenToken(text: string, context: Context): FoundCredential {
  const token = cleanToken(text, "--token");
  context.secrets.add(token);
  context.io.note("A token on the command line can be seen by others with ps; a pipe hides it");
  return { credential: { token }, source: "option" };
}

async function pipedToken(
  limitMs: number,
  { io, deadline, signal, secrets }: Context,
): Promise<FoundCredential | undefined> {
  if (!isPiped(io.stdin)) return undefined;
  const line = await deadline.outside(() =>
    readTokenLine(io.stdin, {
      limitMs,
      onWait: () =>
        io.note(
          "Waiting for a token on stdin (--local takes one from your own gateway; </dev/null reads none)",
        ),
      signal,
    }),
  );
  if (line === undefined) {
    io.note("stdin was empty: did the command before the pipe fail?");
    return undefined;
  }
  const token = cleanToken(line, "stdin");
  secrets.add(token);
  return { credential: { token }, source: "stdin" };
}

function mints({ ways }: TokenTarget): boolean {
  return ways?.some(({ type }) => type === "local") ?? true;
}

async function mint(
  by: RuntimeRecord,
  context: Context,
  dependencies: AuthDependencies,
): Promise<FoundCredential> {
  const { token, expiresAtMs, ...minted } = await dependencies.mintLocalToken(
    by,
    context.deadline.signal,
  );
  context.secrets.add(token);
  return { credential: { token }, source: "local", expiresAtMs, minted: { ...minted, by } };
}

async function mintAsked(
  target: TokenTarget,
  context: Context,
  dependencies: AuthDependencies,
): Promise<FoundCredential> {
  const url = shownAddress(target.url);
  if (!mints(target)) {
    throw new AppError("usage", `The gateway at ${url} mints no local tokens`, {
      hint: steps(target),
    });
  }
  if (target.runtime) return mint(target.runtime, context, dependencies);
  throw new AppError("unreachable", `No gateway of yours runs at ${url}`, {
    hint: "agent serve --background",
  });
}

async function mintWhereOffered(
  target: TokenTarget,
  context: Context,
  dependencies: AuthDependencies,
): Promise<FoundCredential | undefined> {
  return target.runtime && mints(target) ? mint(target.runtime, context, dependencies) : undefined;
}

/** @throws AppError `usage` where the server offers no OAuth */
async function offeredSignIn(target: TokenTarget): Promise<SignInTarget> {
  const found = await target.findSignIn();
  if (found !== undefined) return found;
  throw new AppError("usage", `${shownAddress(target.url)} offers no sign-in by OAuth`, {
    hint: steps(target),
  });
}

async function byOAuth(
  way: "web" | "device" | "client",
  found: SignInTarget,
  options: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
  { waysIn }: AuthDependencies,
  ask = false,
): Promise<FoundCredential> {
  const signIn = { ...found, scope: options.scope ?? found.scope };
  const client = {
    serverUrl: shownAddress(target.url),
    given: await givenClient(options, way, context),
    kept: await target.kept(),
  };
  switch (way) {
    case "web":
      return granted(
        way,
        await waysIn.web(signIn, { ...client, callbackPort: options.callbackPort, ask }, context),
      );
    case "device":
      return granted(way, await waysIn.device(signIn, client, context));
    case "client":
      return granted(way, await waysIn.clientCredentials(signIn, client, context));
  }
}

function granted(
  source: "web" | "device" | "client",
  { accessToken, expiresAtMs, grant }: GrantedToken,
): FoundCredential {
  return { credential: { token: accessToken, oauth: grant }, source, expiresAtMs };
}

/** @throws AppError `usage` where the server is known to take no password */
async function byPassword(
  { email, organization, stdinTimeoutMs }: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
  { waysIn }: AuthDependencies,
): Promise<FoundCredential> {
  const { ways, url, endpoint } = target;
  if (ways !== undefined && !ways.some(({ type }) => type === "simple")) {
    throw new AppError("usage", `${shownAddress(url)} takes no email and password`, {
      hint: steps(target),
    });
  }
  const signedIn: SignedIn = await waysIn.password(
    { url: endpoint, email, organization, stdinTimeoutMs },
    context,
  );
  return { ...signedIn, source: "password" };
}

/** The browser or the password, where a person sits; programs and pipelines are told the ways there are. */
async function askPerson(
  options: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
  dependencies: AuthDependencies,
): Promise<FoundCredential> {
  const { io, environment } = context;
  const person = io.stdinIsTerminal && io.stderrIsTerminal && !environment.ci;
  if (person && target.ways !== undefined) {
    const found = await target.findSignIn();
    if (found?.server.authorizationEndpoint !== undefined) {
      return byOAuth("web", found, options, target, context, dependencies, true);
    }
    if (target.ways.some(({ type }) => type === "simple")) {
      return byPassword(options, target, context, dependencies);
    }
  }
  throw new AppError("usage", `No token for ${shownAddress(target.url)}`, { hint: steps(target) });
}

function steps({ ways, url, runtime, kind, challenge }: TokenTarget): string {
  return stepsOf(ways, { url, own: runtime !== undefined, kind, challenge });
}

/** Whether what was found can be got again without a person. */
export function renewable({ credential: { oauth, session } }: FoundCredential): boolean {
  return session !== undefined || (oauth !== undefined && renewsItself(oauth));
}
