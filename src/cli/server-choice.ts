import { shownAddress } from "../client/http-json.ts";
import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { covers, parseServerUrl } from "../core/url.ts";
import type { CanonicalUrl, ServerUrl } from "../core/url.ts";
import { isProfileName } from "../profiles/parse-profile.ts";
import { addressOf } from "../profiles/profile.ts";
import type { Profile } from "../profiles/profile.ts";
import type { RuntimeRecord } from "../runtime/runtime-record.ts";
import type { ServerOptions } from "./command.ts";
import type { Context } from "./context.ts";
import { authDependencies } from "./sign-in/dependencies.ts";
import type { AuthDependencies } from "./sign-in/dependencies.ts";
import { cleanToken } from "./sign-in/clean-token.ts";

/** The server a command talks to, and how it was found. */
export interface ServerChoice {
  /** Where requests go. */
  endpoint: string;
  canonical: CanonicalUrl;
  /** The address as it was given, before a saved profile had a say in it. */
  given: string;
  loopback: boolean;
  how: "option" | "environment" | "runtime" | "profile";
  /** What speaks there, as far as it is known without asking. */
  server: "onedoor" | "mcp" | "unknown";
  /** The saved profile for it: of the name asked for, else the one that is used for this URL. */
  profile?: Profile | undefined;
  /** Set when this server is the running gateway of this user. */
  runtime?: RuntimeRecord | undefined;
}

/** What a request shows, and where that comes from. */
export interface Bearer {
  token?: string | undefined;
  source: "option" | "environment" | "profile" | "none";
  profile?: Profile | undefined;
}

export interface ServerChoiceOptions extends ServerOptions {
  /** Say which gateway was found wherever stderr goes: for what changes a profile. */
  sayServer?: boolean | undefined;
}

/** Less left than this, in milliseconds, and a local token counts as expired: the call may take a while. */
const expiryMarginMs = 10_000;

/** The profile that was asked for by name. @throws AppError `usage` for a word that can be no name */
export function askedProfileName(options: ServerOptions, context: Context): string | undefined {
  const name = options.profile ?? context.environment.profile;
  if (name !== undefined && !isProfileName(name)) {
    throw new AppError("usage", "A profile's name is 1 to 64 letters, digits and any of . _ @ -");
  }
  return name;
}

/**
 * Finds the server of a command (contract §2 "Which server"): `--url`, `ONEDOOR_URL`, the running gateway of
 * this user, the default profile's server. What was not given on the command line is said on stderr; that it
 * is the running gateway, as is usual, only on a terminal: programs read every character. Nothing is contacted.
 * @throws AppError `usage` (the address), `unreachable` (there is none), `store_unavailable`
 */
export async function chooseServer(
  options: ServerChoiceOptions,
  context: Context,
  dependencies: AuthDependencies = authDependencies,
): Promise<ServerChoice> {
  const choice = await findServer(options, context, dependencies);
  if (choice) return choice;
  throw new AppError("unreachable", "No gateway of yours is running, and no profile is saved", {
    hint: "agent serve --background, or name a server with --url <url>",
  });
}

/** As `chooseServer`, undefined when there is none. */
export async function findServer(
  options: ServerChoiceOptions,
  context: Context,
  dependencies: AuthDependencies = authDependencies,
): Promise<ServerChoice | undefined> {
  const active = await findActiveServer(options, context, dependencies);
  if (active) return active;
  const profiles = dependencies.openProfiles(context);
  const profile = await profiles.findDefault(askedProfileName(options, context));
  if (!profile) return undefined;
  const url = parseServerUrl(profile.endpoint, { insecureHttp: true });
  const choice = complete(url, "profile", profile, undefined, options, context);
  // Nothing is used where nothing will be sent.
  if (options.sayServer === true || !ownGatewayIsAway(choice, options, context))
    context.io.note(`Using ${shownAddress(choice.endpoint)} (profile ${profile.name})`);
  return choice;
}

/** The server that was named, or whose gateway runs; undefined when there is neither. */
export async function findActiveServer(
  options: ServerChoiceOptions,
  context: Context,
  dependencies: AuthDependencies = authDependencies,
): Promise<ServerChoice | undefined> {
  const name = askedProfileName(options, context);
  const profiles = dependencies.openProfiles(context);
  const runtime = await runningGateway(context, dependencies);

  const given = options.url ?? context.environment.url;
  if (given !== undefined) {
    const how = options.url === undefined ? "environment" : "option";
    const url = understand(given, how, { insecureHttp: true });
    const profile = await profiles.find(url.canonical, name);
    // A plain http address was agreed to when a profile for it was made.
    if (!profile) understand(given, how, options);
    const choice = complete(url, how, profile, runtime, options, context);
    if (how === "environment")
      context.io.note(`Using ${shownAddress(choice.endpoint)} (ONEDOOR_URL)`);
    return choice;
  }
  if (runtime) {
    const url = parseServerUrl(runtime.url);
    const profile = await profiles.find(url.canonical, name);
    if (options.sayServer === true || context.io.stderrIsTerminal)
      context.io.note(`Using ${runtime.url} (the running gateway)`);
    return complete(url, "runtime", profile, runtime, options, context);
  }
  return undefined;
}

/** @throws AppError `usage`, saying when the address came from the environment */
function understand(
  text: string,
  how: "option" | "environment",
  options: { insecureHttp?: boolean | undefined },
): ServerUrl {
  try {
    return parseServerUrl(text, { insecureHttp: options.insecureHttp === true });
  } catch (error) {
    if (how === "option" || !(error instanceof AppError)) throw error;
    throw new AppError(error.code, `ONEDOOR_URL: ${error.message}`, { hint: error.hint });
  }
}

function complete(
  url: ServerUrl,
  how: ServerChoice["how"],
  profile: Profile | undefined,
  running: RuntimeRecord | undefined,
  options: ServerOptions,
  context: Context,
): ServerChoice {
  const runtime =
    running && parseServerUrl(running.url).canonical === url.canonical ? running : undefined;
  const usesProfile =
    profile !== undefined &&
    options.token === undefined &&
    !environmentTokenCounts(url.canonical, context);
  return {
    // The names of the loopback interface are one key and several listeners: the token goes to the one that
    // it was verified against.
    endpoint: usesProfile && url.loopback ? loopbackAddress(profile, runtime) : url.endpoint,
    canonical: url.canonical,
    given: url.endpoint,
    loopback: url.loopback,
    how,
    server: runtime ? "onedoor" : (profile?.server ?? "unknown"),
    profile,
    runtime,
  };
}

function loopbackAddress(profile: Profile, runtime: RuntimeRecord | undefined): string {
  return profile.source === "local" && runtime ? runtime.url : addressOf(profile);
}

/** The running gateway of this user, by its runtime file. */
export async function runningGateway(
  context: Context,
  dependencies: AuthDependencies,
): Promise<RuntimeRecord | undefined> {
  const state = await dependencies.readRuntimeFile(context.directories.state);
  if (state.kind === "untrusted") {
    context.io.note(`The runtime file of the gateway ${state.reason}; it is ignored`);
  }
  return state.kind === "running" ? state.record : undefined;
}

/** `ONEDOOR_TOKEN` is for `ONEDOOR_URL` alone where that is set, and for any server where it is not. */
export function environmentTokenCounts(canonical: CanonicalUrl, context: Context): boolean {
  const { token, url } = context.environment;
  if (token === undefined) return false;
  if (url === undefined) return true;
  try {
    return parseServerUrl(url, { insecureHttp: true }).canonical === canonical;
  } catch {
    return false;
  }
}

/**
 * The bearer of a request (contract §2 "Who wins when a request is sent"): `--token`, `ONEDOOR_TOKEN`, the
 * saved profile, none. An expired local token is minted again without a word.
 * @throws AppError `usage` (a malformed token), `unreachable` (`requireOwnGateway`), `auth_required` (the profile asked for does not exist, or its
 *   secret is gone), `store_unavailable`; what minting throws
 */
export async function bearerFor(
  choice: ServerChoice,
  options: ServerOptions,
  context: Context,
  dependencies: AuthDependencies = authDependencies,
): Promise<Bearer> {
  if (options.token !== undefined) {
    const token = cleanToken(options.token, "--token");
    context.secrets.add(token);
    return { token, source: "option" };
  }
  if (environmentTokenCounts(choice.canonical, context)) {
    const token = cleanToken(context.environment.token ?? "", "ONEDOOR_TOKEN");
    context.secrets.add(token);
    return { token, source: "environment" };
  }
  const { profile } = choice;
  if (!profile) {
    await refuseUnknownName(choice, options, context, dependencies);
    return { source: "none" };
  }
  requireOwnGateway(choice, options, context);
  if (!covers(profile.url, choice.endpoint)) return { source: "none" };
  return profileBearer(profile, choice.runtime, context, dependencies);
}

/** Whether a request would go to the place of this user's own gateway while none of this user's runs there. */
function ownGatewayIsAway(
  { canonical, profile, runtime }: ServerChoice,
  options: ServerOptions,
  context: Context,
): boolean {
  return (
    profile?.source === "local" &&
    runtime === undefined &&
    options.token === undefined &&
    !environmentTokenCounts(canonical, context)
  );
}

/**
 * A saved local token says that a gateway of this user belongs there. While it does not run, whoever listens
 * is a stranger: not even a question without a credential goes there, since its arguments would be told and
 * its answer believed. A token from elsewhere says that the user means that server.
 * @throws AppError `unreachable`
 */
export function requireOwnGateway(
  choice: ServerChoice,
  options: ServerOptions,
  context: Context,
): void {
  if (!ownGatewayIsAway(choice, options, context)) return;
  throw new AppError("unreachable", `Your gateway at ${choice.canonical} is not running`, {
    hint: "agent serve --background",
  });
}

/** The bearer of one saved profile, where it may be sent at all. */
export async function profileBearer(
  profile: Profile,
  runtime: RuntimeRecord | undefined,
  context: Context,
  dependencies: AuthDependencies = authDependencies,
): Promise<Bearer> {
  const profiles = dependencies.openProfiles(context);
  const { signal } = context.deadline;
  if (profile.source === "local") {
    if (!isMinter(runtime, profile)) {
      context.io.note(
        `The token of ${profile.url} goes only to the gateway that minted it, which does not run there now`,
      );
      return { source: "none", profile };
    }
    const isGood = ({ expiresAtMs }: Profile): boolean =>
      expiresAtMs === undefined || expiresAtMs > context.now() + expiryMarginMs;
    if (!isGood(profile)) {
      const renewed = await profiles.renew(
        profile,
        isGood,
        async () => {
          const minted = await dependencies.mintLocalToken(runtime, signal);
          const { token, tokenId, expiresAtMs, role } = minted;
          return { secret: token, tokenId, expiresAtMs, role };
        },
        signal,
      );
      if (renewed) return { token: renewed.secret, source: "profile", profile: renewed.profile };
    }
  }
  const token = await profiles.secretOf(profile);
  if (token === undefined) {
    throw new AppError("auth_required", `The token of ${profile.url} is no longer in its store`, {
      hint: loginHint(profile),
    });
  }
  return { token, source: "profile", profile };
}

/** Whether the running gateway is the instance that minted a profile's local token. */
export function isMinter(
  runtime: RuntimeRecord | undefined,
  profile: Profile,
): runtime is RuntimeRecord {
  return (
    runtime !== undefined &&
    runtime.instanceId === profile.instanceId &&
    covers(profile.url, runtime.url)
  );
}

/**
 * What to do about a refused credential. Signing in changes nothing while a token from elsewhere wins.
 * @param login the command that makes the saved profile good again
 */
export function refusedHint(source: Bearer["source"] | "flag", login: string): string {
  if (source === "environment") return "unset ONEDOOR_TOKEN, which wins over the saved profile";
  if (source === "option" || source === "flag") return "Check the token given with --token";
  return login;
}

/** The command that makes this profile good again. */
export function loginHint(key: { url: string; name?: string | undefined }): string {
  const name = key.name === undefined || key.name === "default" ? "" : ` --profile ${key.name}`;
  return `agent auth login --url ${quoteForShell(key.url)}${name}`;
}

async function refuseUnknownName(
  choice: ServerChoice,
  options: ServerOptions,
  context: Context,
  dependencies: AuthDependencies,
): Promise<void> {
  const name = askedProfileName(options, context);
  if (name === undefined) return;
  const elsewhere = (await dependencies.openProfiles(context).list()).find(
    (profile) => profile.name === name,
  );
  throw new AppError("auth_required", `There is no profile "${name}" for ${choice.canonical}`, {
    hint: elsewhere
      ? `It is one of ${elsewhere.url}: add --url ${quoteForShell(elsewhere.url)}`
      : loginHint({ url: choice.canonical, name }),
  });
}
