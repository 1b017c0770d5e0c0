import { shownAddress } from "../../../client/http-json.ts";
import { AppError } from "../../../core/errors.ts";
import type { ErrorCode } from "../../../core/errors.ts";
import type { CommandModule, GlobalOptions, ServerOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { jsonText } from "../../render/json-text.ts";
import { isoTime } from "../../render/shown-time.ts";
import {
  askedProfileName,
  chooseServer,
  findActiveServer,
  unknownProfile,
} from "../../server-choice.ts";
import { refuseInsecure } from "../../heed-insecure.ts";
import { loginHint, noProfileHint, refusedHint } from "../../login-hint.ts";
import { missingHint } from "../../not-signed-in.ts";
import { runningGateway } from "../../running-gateway.ts";
import type { ServerChoice } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { profileList } from "../../sign-in/profile-list.ts";
import { exitCodeOfRows, subjectOf, testProfile } from "../../sign-in/profile-row.ts";
import type { ProfileRow, Subject } from "../../sign-in/profile-row.ts";
import { bearerFromElsewhere, noteEnvironmentToken } from "../../token-from-elsewhere.ts";

interface StatusOptions {
  all: boolean;
}

export function createStatus(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<StatusOptions> {
  return {
    talksToServer: true,
    options: { all: { type: "boolean", describe: "Every saved profile, whichever gateway runs" } },
    examples: [
      ["agent auth status", "the running gateway's profile; where none runs, all profiles"],
      ["agent auth status --url https://gw.example.com --profile work", "of this profile alone"],
      ["agent auth status --all --json", "every profile, for a script"],
    ],
    async run(options, context) {
      const spinner = context.io.spin("Asking the servers");
      try {
        const subjects = await findSubjects(options, context, dependencies);
        const runtime = await runningGateway(context, dependencies);
        const rows = await Promise.all(
          subjects.map((subject) => testProfile(subject, runtime, context, dependencies)),
        );
        spinner.stop();
        await print(rows, options, context);
        if (options.json) refuseBadRows(rows, options, context);
        return exitCodeOfRows(rows);
      } finally {
        spinner.stop();
      }
    },
  };
}

export const command = createStatus();

async function findSubjects(
  options: StatusOptions & ServerOptions,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Subject[]> {
  const { environment } = context;
  if (options.all) {
    if (options.token !== undefined) {
      throw new AppError("usage", "--token is for one server: it does not go with --all");
    }
  } else {
    // A token from elsewhere goes where the next request would take it.
    const isElsewhere = (options.token ?? environment.token) !== undefined;
    const find = isElsewhere ? chooseServer : findActiveServer;
    const choice = await find(options, context, dependencies);
    if (choice) return [subjectFor(choice, options, context)];
  }
  refuseInsecure(options);
  const name = nameOf(options, context);
  const saved = await dependencies.openProfiles(context).list();
  return saved
    .filter((profile) => name === undefined || profile.name === name)
    .map((profile) => {
      noteEnvironmentToken(profile.url, context);
      return subjectOf(profile, bearerFromElsewhere(profile.url, {}, context));
    });
}

/** Every profile is every profile, whichever one the environment prefers. */
function nameOf(options: StatusOptions & ServerOptions, context: Context): string | undefined {
  return askedProfileName(options, options.all ? { environment: { profile: undefined } } : context);
}

function subjectFor(choice: ServerChoice, options: ServerOptions, context: Context): Subject {
  const { profile, canonical, endpoint, server } = choice;
  if (profile && options.token === undefined) noteEnvironmentToken(canonical, context);
  return {
    url: canonical,
    name: profile?.name ?? askedProfileName(options, context),
    endpoint,
    server,
    profile,
    bearer: bearerFromElsewhere(canonical, options, context),
  };
}

async function print(
  rows: readonly ProfileRow[],
  options: StatusOptions & GlobalOptions & ServerOptions,
  context: Context,
): Promise<void> {
  const { io, now } = context;
  if (options.format === "json") {
    await io.out(jsonText(rows.map(rowJson), io));
  } else if (rows.length > 0) {
    await io.out(profileList(rows, now(), io));
  }
  if (rows.length === 0) {
    const name = nameOf(options, context);
    throw name === undefined
      ? new AppError("auth_required", "No profile is saved", { hint: noProfileHint })
      : new AppError("auth_required", unknownProfile(name), {
          hint: "agent auth status --all shows those there are",
        });
  }
  // With --json everything is in the array, and stderr is for the one error line alone.
  if (options.json) return;
  for (const row of rows) {
    const failure = failureOf(row);
    if (failure !== undefined) io.note(failure, { always: true });
    const hint = hintOf(row, options, context);
    if (hint !== undefined) io.note(`hint: ${hint}`);
    if (row.warning !== undefined) io.note(row.warning, { always: true });
  }
}

/** What is wrong with a row, or to be known of it, in one line that names its server once. */
function failureOf({
  url,
  name,
  endpoint,
  profile,
  result,
  reason,
}: ProfileRow): string | undefined {
  const verdict = {
    rejected: `Token rejected by ${url}`,
    expired: `The token of ${url} has expired`,
    missing: name !== undefined && !profile ? unknownProfile(name, url) : `Not signed in to ${url}`,
  };
  if (result === "rejected" || result === "expired") {
    return reason === undefined ? verdict[result] : `${verdict[result]}: ${reason}`;
  }
  if (reason === undefined) return result === "missing" ? verdict.missing : undefined;
  const names = [url, shownAddress(endpoint), new URL(endpoint).origin];
  return names.some((named) => reason.includes(named)) ? reason : `${url}: ${reason}`;
}

/** What helps with a row: another token, unless it is something else that keeps the server from being asked. */
function hintOf(row: ProfileRow, options: ServerOptions, context: Context): string | undefined {
  const { url: canonical, result, source, profile } = row;
  const login = loginHint(row, options);
  if (result === "missing") return row.hint ?? missingHint(canonical, login, context);
  if (result !== "rejected" && result !== "expired") return row.hint;
  return refusedHint(source, login, { canonical, profile });
}

/**
 * The error line of the row that decides the exit code; nothing when all are good.
 * @throws AppError
 */
function refuseBadRows(
  rows: readonly ProfileRow[],
  options: ServerOptions,
  context: Context,
): void {
  const code = exitCodeOfRows(rows);
  const worst = rows.find((row) => code !== 0 && exitCodeOfRows([row]) === code);
  if (worst === undefined) return;
  const { url, result, retryAfterSeconds } = worst;
  throw new AppError(errorOfResult[result] ?? "internal", failureOf(worst) ?? `${url}: ${result}`, {
    hint: hintOf(worst, options, context),
    retryAfterSeconds,
  });
}

const errorOfResult: Readonly<Partial<Record<ProfileRow["result"], ErrorCode>>> = {
  rejected: "auth_rejected",
  expired: "auth_rejected",
  missing: "auth_required",
  unreachable: "unreachable",
  "store unavailable": "store_unavailable",
  "rate limited": "rate_limited",
};

function rowJson(row: ProfileRow): Record<string, string | boolean | readonly string[] | null> {
  return {
    url: row.url,
    name: row.name ?? null,
    endpoint: row.endpoint,
    who: row.who ?? null,
    role: row.role ?? null,
    scopes: row.scopes ?? null,
    organization: row.organization ?? null,
    maskedToken: row.maskedToken ?? null,
    store: row.store ?? null,
    source: row.source ?? null,
    createdAt: isoTime(row.createdAtMs),
    expiresAt: isoTime(row.expiresAtMs),
    renews: row.renews ?? null,
    result: row.result,
    reason: row.reason ?? null,
  };
}
