import { AppError } from "../../../core/errors.ts";
import { addressOf } from "../../../profiles/profile.ts";
import type { Profile } from "../../../profiles/profile.ts";
import type { StoredCredential } from "../../../profiles/stored-credential.ts";
import type { RuntimeRecord } from "../../../runtime/runtime-record.ts";
import type { CanonicalUrl } from "../../../core/url.ts";
import { refuseInsecure } from "../../choose-network.ts";
import type { CommandModule, GlobalOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { serverOptions } from "../../options.ts";
import { jsonText } from "../../render/json-text.ts";
import { findServer } from "../../server-choice.ts";
import { isMinter, runningGateway } from "../../running-gateway.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { shownTime } from "../../render/shown-time.ts";
import type { Revocation } from "../../sign-in/revoke-token.ts";

interface LogoutOptions {
  all: boolean;
}

/** What became of one profile. `kept` says why it is still there. */
interface Removal {
  profile: Profile;
  revocation: Revocation | "not asked";
  kept?: AppError;
}

export function createLogout(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<LogoutOptions> {
  return {
    // A token from elsewhere has no profile to remove.
    talksToServer: false,
    options: {
      url: serverOptions.url,
      profile: serverOptions.profile,
      insecureHttp: serverOptions.insecureHttp,
      cacert: serverOptions.cacert,
      insecure: serverOptions.insecure,
      all: { type: "boolean", describe: "Every profile, and every secret that belongs to one" },
    },
    examples: [
      ["agent auth logout", "of the running gateway, else of the default profile's server"],
      ["agent auth logout --all", "remove everything; works without a server"],
    ],
    /** With `--json`: `{removed, orphans, profiles: [{url, name, removed, revocation}]}`. */
    async run(options, context) {
      if (options.all && (options.url ?? options.profile) !== undefined) {
        throw new AppError(
          "usage",
          "--all is for every profile: it goes with neither --url nor --profile",
        );
      }
      if (options.all) refuseInsecure(options);
      const profiles = dependencies.openProfiles(context);
      const server = options.all
        ? undefined
        : await findServer({ ...options, sayServer: true }, context, dependencies);
      const targets = options.all
        ? await profiles.list()
        : [server?.profile].filter((profile) => profile !== undefined);
      const runtime = await runningGateway(context, dependencies);
      const removals = await Promise.all(
        targets.map((profile) => signOut(profile, runtime, context, dependencies)),
      );
      let orphans = 0;
      let stuck: unknown;
      try {
        if (options.all) orphans = await profiles.removeOrphans();
      } catch (error) {
        // What could be removed is, and is told before what could not.
        stuck = error;
      }
      await report(removals, orphans, { ...options, server: server?.canonical }, context);
      if (stuck !== undefined) throw stuck;
    },
  };
}

export const command = createLogout();

/** How long a server may take to revoke, in milliseconds: one that is dead holds up nobody for longer. */
const revocationMs = 10_000;

/** Revokes where that can be done, then removes the profile in any case. */
async function signOut(
  profile: Profile,
  runtime: RuntimeRecord | undefined,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Removal> {
  const profiles = dependencies.openProfiles(context);
  let revocation: Removal["revocation"] = "not asked";
  try {
    await profiles.remove(profile, async (credential) => {
      revocation = await revoke(profile, credential, runtime, context, dependencies);
    });
    return { profile, revocation };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof AppError)) throw error;
    return { profile, revocation, kept: error };
  }
}

/** An OAuth grant ends at its authorization server; a local token is shown to nobody but its minter. */
async function revoke(
  profile: Profile,
  { token, oauth }: StoredCredential,
  runtime: RuntimeRecord | undefined,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Removal["revocation"]> {
  const { keeping, revokeToken } = dependencies;
  const limit = AbortSignal.timeout(revocationMs);
  const signal = AbortSignal.any([context.deadline.signal, limit]);
  try {
    if (oauth !== undefined) return await keeping.revokeGrant(oauth, token, context, signal);
    const endpoint = revocationEndpoint(profile, runtime);
    if (endpoint !== undefined) return await revokeToken(endpoint, token, signal);
  } catch (error) {
    if (context.signal.aborted || !signal.aborted) throw error;
    return "unreachable";
  }
  return profile.source === "local" ? "unreachable" : "not asked";
}

/** Where the token can be revoked; undefined where nobody can, or may be asked to. */
function revocationEndpoint(
  profile: Profile,
  runtime: RuntimeRecord | undefined,
): string | undefined {
  if (profile.source === "local") return isMinter(runtime, profile) ? runtime.url : undefined;
  return profile.server === "onedoor" ? addressOf(profile) : undefined;
}

async function report(
  removals: readonly Removal[],
  orphans: number,
  options: LogoutOptions & GlobalOptions & { server: CanonicalUrl | undefined },
  { io, environment, now }: Context,
): Promise<void> {
  const removed = removals.filter(({ kept }) => kept === undefined);
  if (options.format === "json") {
    const rows = removals.map(({ profile: { url, name }, revocation, kept }) => ({
      url,
      name,
      removed: kept === undefined,
      revocation,
    }));
    await io.out(jsonText({ removed: removed.length, orphans, profiles: rows }, io));
  } else {
    await io.out(summary(removed, orphans, options));
  }
  if (!options.json) {
    for (const { profile, revocation } of removed) {
      const line = stillValid(profile, revocation, now());
      if (line !== undefined) io.note(line, { always: true });
    }
    if (environment.token !== undefined) {
      io.note("ONEDOOR_TOKEN is set and goes on signing you in: unset it as well");
    }
  }
  const stuck = removals.flatMap(({ kept }) => kept ?? []);
  const [first] = stuck;
  if (first === undefined) return;
  throw stuck.length === 1 && removed.length === 0
    ? first
    : new AppError(
        first.code,
        `${first.message}; ${stuck.length} of ${removals.length} profiles stay`,
        {
          hint: first.hint,
          cause: first,
        },
      );
}

function summary(
  removed: readonly Removal[],
  orphans: number,
  { all, server }: LogoutOptions & { server: CanonicalUrl | undefined },
): string {
  const lost = orphans === 0 ? "" : `, and ${orphans} that no profile owned`;
  if (all) {
    const noun = removed.length === 1 ? "profile" : "profiles";
    return `Removed ${removed.length} ${noun} and what was kept secret for them${lost}\n`;
  }
  const [only] = removed;
  if (only === undefined) {
    return server === undefined
      ? "Not signed in anywhere; nothing to remove\n"
      : `Not signed in to ${server}; nothing to remove\n`;
  }
  const { profile, revocation } = only;
  const revoked = revocation === "revoked" ? "; its token is revoked" : "";
  return `Signed out of ${profile.url}: profile ${profile.name} is removed${revoked}\n`;
}

/** What remains after a profile is gone, where its token is still good. */
function stillValid(
  profile: Profile,
  revocation: Removal["revocation"],
  nowMs: number,
): string | undefined {
  if (revocation === "revoked" || revocation === "invalid") return undefined;
  if (profile.expiresAtMs !== undefined && profile.expiresAtMs <= nowMs) return undefined;
  const until =
    profile.expiresAtMs === undefined
      ? "until the server ends it"
      : `until ${shownTime(profile.expiresAtMs)}`;
  const why =
    revocation === "unreachable"
      ? "The server could not be asked to revoke it"
      : "It was not revoked";
  return `${why}: the token of ${profile.url} stays valid ${until}`;
}
