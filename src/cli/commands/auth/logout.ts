import { AppError } from "../../../core/errors.ts";
import type { CanonicalUrl } from "../../../core/url.ts";
import { refuseInsecure } from "../../heed-insecure.ts";
import type { CommandModule, GlobalOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { keyRingOptions } from "../../options.ts";
import { jsonText } from "../../render/json-text.ts";
import { askedProfileName, findServer, unknownProfile } from "../../server-choice.ts";
import { runningGateway } from "../../running-gateway.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { shownTime } from "../../render/shown-time.ts";
import { signOut } from "../../sign-in/sign-out.ts";
import type { Removal } from "../../sign-in/sign-out.ts";

interface LogoutOptions {
  all: boolean;
}

export function createLogout(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<LogoutOptions> {
  return {
    // A token from elsewhere has no profile to remove.
    talksToServer: false,
    options: {
      ...keyRingOptions,
      all: { type: "boolean", describe: "Every profile, and every secret that belongs to one" },
    },
    examples: [
      ["agent auth logout", "of the running gateway, else of the default profile's server"],
      ["agent auth logout --url https://gw.example.com --profile work", "of this profile alone"],
      ["agent auth logout --all", "remove everything; works without a server"],
    ],
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
        if (options.all) orphans = await profiles.removeOrphans(context.deadline.signal);
      } catch (error) {
        // What could be removed is, and is told before what could not.
        stuck = error;
      }
      const name = options.all ? undefined : askedProfileName(options, context);
      const where = { server: server?.canonical, name };
      await report(removals, orphans, { ...options, ...where }, context);
      if (stuck !== undefined) throw stuck;
    },
  };
}

export const command = createLogout();

/** What was asked for. */
interface Where {
  server: CanonicalUrl | undefined;
  name: string | undefined;
}

async function report(
  removals: readonly Removal[],
  orphans: number,
  options: LogoutOptions & GlobalOptions & Where,
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
  } else if (removals.length === 0 || removed.length > 0 || orphans > 0) {
    await io.out(summary(removed, orphans, options));
  }
  if (!options.json) {
    for (const removal of removed) {
      const line = stillValid(removal, now());
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
  { all, server, name }: LogoutOptions & Where,
): string {
  const lost = orphans === 0 ? "" : `, and ${orphans} that no profile owned`;
  if (all) {
    const noun = removed.length === 1 ? "profile" : "profiles";
    return `Removed ${removed.length} ${noun} and what was kept secret for them${lost}\n`;
  }
  const [only] = removed;
  if (only === undefined) {
    const nobody = `Not signed in ${server === undefined ? "anywhere" : `to ${server}`}`;
    return `${name === undefined ? nobody : unknownProfile(name, server)}; nothing to remove\n`;
  }
  const { profile, revocation } = only;
  const revoked = revocation === "revoked" ? "; its token is revoked" : "";
  return `Signed out of ${profile.url}: profile ${profile.name} is removed${revoked}\n`;
}

/** What remains after a profile is gone, where its credential is still good. */
function stillValid({ profile, revocation }: Removal, nowMs: number): string | undefined {
  const { url, name, source, expiresAtMs, renews } = profile;
  if (revocation === "revoked" || revocation === "invalid") return undefined;
  const owner = name === "default" ? url : `${url} (profile ${name})`;
  const isOver = expiresAtMs !== undefined && expiresAtMs <= nowMs;
  const isRenewable = renews === true && source !== "client";
  if (isOver && (revocation === "refresh token" || !isRenewable)) return undefined;
  const until =
    expiresAtMs === undefined || isOver
      ? "until the server ends it"
      : `until ${shownTime(expiresAtMs)}`;
  if (revocation === "refresh token") {
    return `The refresh token of ${owner} is revoked; its access token stays valid ${until}`;
  }
  const why =
    revocation === "unreachable"
      ? "The server could not be asked to revoke it"
      : "It was not revoked";
  return `${why}: the ${isOver ? "refresh token" : "token"} of ${owner} stays valid ${until}`;
}
