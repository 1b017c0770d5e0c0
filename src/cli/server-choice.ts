import { shownAddress } from "../client/http-json.ts";
import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { covers, parseServerUrl } from "../core/url.ts";
import type { CanonicalUrl, ServerUrl } from "../core/url.ts";
import { isProfileName } from "../profiles/parse-profile.ts";
import { addressOf } from "../profiles/profile.ts";
import type { Profile } from "../profiles/profile.ts";
import type { RuntimeRecord } from "../runtime/runtime-record.ts";
import type { Bearer } from "./bearer.ts";
import type { ServerOptions } from "./command.ts";
import type { Context } from "./context.ts";
import { expiryWarning } from "./expiry-warning.ts";
import { heedInsecure } from "./heed-insecure.ts";
import { loginHint } from "./login-hint.ts";
import { profileBearer } from "./profile-bearer.ts";
import { runningGateway } from "./running-gateway.ts";
import { authDependencies } from "./sign-in/dependencies.ts";
import type { AuthDependencies } from "./sign-in/dependencies.ts";
import { bearerFromElsewhere, tokenFromElsewhere } from "./token-from-elsewhere.ts";

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

export interface ServerChoiceOptions extends ServerOptions {
  /** Say which gateway was found wherever stderr goes: for what changes a profile. */
  sayServer?: boolean | undefined;
  json?: boolean | undefined;
}

/** The profile that was asked for by name. @throws AppError `usage` for a word that can be no name */
export function askedProfileName(
  options: Pick<ServerOptions, "profile">,
  { environment }: { environment: Pick<Context["environment"], "profile"> },
): string | undefined {
  const name = options.profile ?? environment.profile;
  if (name !== undefined && !isProfileName(name)) {
    throw new AppError("usage", "A profile's name is 1 to 64 letters, digits and any of . _ @ -");
  }
  return name;
}

/**
 * Finds the server of a command (contract §2 "Which server"): `--url`, `ONEDOOR_URL`, the running gateway of
 * this user, the default profile's server. What was not given on the command line is said on stderr; that it
 * is the running gateway, as is usual, only on a terminal: programs read every character. Nothing is contacted.
 * @throws AppError `usage` (the address, none for ONEDOOR_TOKEN), `unreachable` (there is none), `store_unavailable`
 */
export async function chooseServer(
  options: ServerChoiceOptions,
  context: Context,
  dependencies: AuthDependencies = authDependencies,
): Promise<ServerChoice> {
  const choice = await findServer(options, context, dependencies);
  if (choice) return choice;
  if (options.token === undefined && context.environment.token !== undefined) {
    throw new AppError("usage", "ONEDOOR_TOKEN is set, but no server is named", {
      hint: "ONEDOOR_URL=<url>, or --url <url>",
    });
  }
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
  options: ServerChoiceOptions,
  context: Context,
): ServerChoice {
  const runtime =
    running && parseServerUrl(running.url).canonical === url.canonical ? running : undefined;
  const usesProfile =
    profile !== undefined && tokenFromElsewhere(url.canonical, options, context) === undefined;
  const choice: ServerChoice = {
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
  heedInsecure(choice, options, context);
  return choice;
}

function loopbackAddress(profile: Profile, runtime: RuntimeRecord | undefined): string {
  return profile.source === "local" && runtime ? runtime.url : addressOf(profile);
}

/**
 * The bearer of a request (contract §2 "Who wins when a request is sent"): `--token`, `ONEDOOR_TOKEN`, the
 * saved profile, none. What ends soon and renews itself is renewed first; what does not is warned of a day ahead.
 * @throws AppError `usage` (a malformed token), `unreachable` (`requireOwnGateway`), `auth_required` (there is no
 *   profile of the name asked for); what `profileBearer` throws
 */
export async function bearerFor(
  choice: ServerChoice,
  options: ServerOptions,
  context: Context,
  dependencies: AuthDependencies = authDependencies,
): Promise<Bearer> {
  const elsewhere = bearerFromElsewhere(choice.canonical, options, context);
  if (elsewhere) return elsewhere;
  const { profile } = choice;
  if (!profile) {
    await refuseUnknownName(choice, options, context, dependencies);
    return { source: "none" };
  }
  requireOwnGateway(choice, options, context);
  if (!covers(profile.url, choice.endpoint)) return { source: "none" };
  const bearer = await profileBearer(profile, choice.runtime, context, dependencies);
  const warning = bearer.profile && expiryWarning(bearer.profile, context.now());
  if (warning !== undefined) context.io.note(warning);
  return bearer;
}

/** Whether a request would go to the place of this user's own gateway while none of this user's runs there. */
function ownGatewayIsAway(
  { canonical, profile, runtime }: ServerChoice,
  options: ServerOptions,
  context: Pick<Context, "environment">,
): boolean {
  return (
    profile?.source === "local" &&
    runtime === undefined &&
    tokenFromElsewhere(canonical, options, context) === undefined
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
  context: Pick<Context, "environment">,
): void {
  if (!ownGatewayIsAway(choice, options, context)) return;
  throw new AppError("unreachable", `Your gateway at ${choice.canonical} is not running`, {
    hint: "agent serve --background",
  });
}

/** What is said of a name that no profile has, of one server or of any. */
export function unknownProfile(name: string, canonical?: CanonicalUrl): string {
  return `There is no profile "${name}"${canonical === undefined ? "" : ` for ${canonical}`}`;
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
  throw new AppError("auth_required", unknownProfile(name, choice.canonical), {
    hint: elsewhere
      ? `It is one of ${elsewhere.url}: add --url ${quoteForShell(elsewhere.url)}`
      : loginHint({ url: choice.given, name }, options),
  });
}
