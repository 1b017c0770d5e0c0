import { shownAddress } from "../../client/http-json.ts";
import type { ServerKind } from "../../client/identify.ts";
import type { OfferedWay } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import type { BearerChallenge, OAuthClient, SignInTarget } from "../../oauth/oauth.ts";
import type { ProfileSource } from "../../profiles/profile.ts";
import type { StoredCredential } from "../../profiles/stored-credential.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { Context } from "../context.ts";
import { hasPerson } from "../has-person.ts";
import { signInByOAuth } from "./sign-in-by-oauth.ts";
import { chosenWay, loginHelp } from "./chosen-way.ts";
import type { WayOptions } from "./chosen-way.ts";
import { cleanToken } from "./clean-token.ts";
import type { AuthDependencies } from "./dependencies.ts";
import type { ClientOptions } from "./given-client.ts";
import { pipedLine } from "./read-secret-line.ts";
import { stepsOf } from "./steps-of.ts";

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
  /** The authorization server that may be used. */
  issuer?: string | undefined;
  callbackPort?: number | undefined;
  /** Of a sign-in with a password: the organisation to act in. */
  organization?: string | undefined;
  stdinTimeoutMs: number;
  /** Whether a person who has not chosen the browser is asked before it opens. */
  ask: boolean;
}

/** The server that a token is looked for. */
export interface TokenTarget {
  /** As it was given, for messages and questions. */
  url: string;
  /** The command that signs in there, for this profile, without a way. */
  login: string;
  /** Set when the server is the running gateway of this user. */
  runtime: RuntimeRecord | undefined;
  /** Its address that answered, where the given one may stand for several: a password goes nowhere else. */
  endpoint: string;
  /** What it is, what it offers, and what its refusal said; undefined when it was not asked. */
  kind: ServerKind | undefined;
  ways: readonly OfferedWay[] | undefined;
  challenge: BearerChallenge | undefined;
  /** Where OAuth's discovery begins, with the one issuer that may be used; asked for once, when it is needed. */
  findSignIn: (issuer: string | undefined) => Promise<SignInTarget | undefined>;
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
    throw new AppError("usage", "--organization is for signing in with a password (--email)", {
      hint: loginHelp,
    });
  }
  if (options.clientKey !== undefined) {
    const { checkClientKey } = await import("./client-key.ts");
    await checkClientKey(options.clientKey);
  }
  switch (way) {
    case "local":
      return mintAsked(options, target, context, dependencies);
    case "token":
      return givenToken(options.token ?? "", context);
    case "web":
    case "device":
    case "client":
      return signInByOAuth(
        way,
        await offeredSignIn(options, target, context),
        options,
        target,
        context,
        dependencies,
      );
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

async function pipedToken(limitMs: number, context: Context): Promise<FoundCredential | undefined> {
  const line = await pipedLine("token", limitMs, context);
  if (line === undefined) return undefined;
  const token = cleanToken(line, "stdin");
  context.secrets.add(token);
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
  options: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
  dependencies: AuthDependencies,
): Promise<FoundCredential> {
  const url = shownAddress(target.url);
  if (!mints(target)) {
    throw new AppError("usage", `The gateway at ${url} mints no local tokens`, {
      hint: steps(target, options, context),
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
async function offeredSignIn(
  options: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
): Promise<SignInTarget> {
  const found = await target.findSignIn(options.issuer);
  if (found !== undefined) return found;
  throw new AppError("usage", `${shownAddress(target.url)} offers no sign-in by OAuth`, {
    hint: steps(target, options, context),
  });
}

/** @throws AppError `usage` where the server is known to take no password */
async function byPassword(
  options: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
  { waysIn }: AuthDependencies,
): Promise<FoundCredential> {
  const { ways, url, endpoint, login } = target;
  const { email, organization, stdinTimeoutMs } = options;
  if (ways !== undefined && !ways.some(({ type }) => type === "simple")) {
    throw new AppError("usage", `${shownAddress(url)} takes no email and password`, {
      hint: steps(target, options, context),
    });
  }
  const session = await waysIn.password(
    { url: endpoint, login, email, organization, stdinTimeoutMs },
    context,
  );
  return { ...session, source: "password" };
}

/** The browser or the password, where a person sits; programs and pipelines are told the ways there are. */
async function askPerson(
  options: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
  dependencies: AuthDependencies,
): Promise<FoundCredential> {
  if (hasPerson(context) && target.ways !== undefined) {
    const found = await target.findSignIn(options.issuer);
    if (found?.server.authorizationEndpoint !== undefined) {
      return signInByOAuth("web", found, options, target, context, dependencies, options.ask);
    }
    if (target.ways.some(({ type }) => type === "simple")) {
      return byPassword(options, target, context, dependencies);
    }
  }
  throw new AppError("usage", `No token for ${shownAddress(target.url)}`, {
    hint: steps(target, options, context),
  });
}

function steps(
  { ways, login, runtime, kind, challenge }: TokenTarget,
  { organization }: TokenSourceOptions,
  context: Context,
): string {
  const person = hasPerson(context);
  const own = runtime !== undefined;
  return stepsOf(ways, { login, own, kind, challenge, organization, person });
}
