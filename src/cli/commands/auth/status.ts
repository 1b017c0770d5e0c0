import { AppError } from "../../../core/errors.ts";
import type { ErrorCode } from "../../../core/errors.ts";
import { refuseInsecure } from "../../choose-network.ts";
import type { CommandModule, GlobalOptions, ServerOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { jsonText } from "../../render/json-text.ts";
import { bearerFor, environmentTokenCounts, findActiveServer } from "../../server-choice.ts";
import { loginHint, refusedHint } from "../../login-hint.ts";
import { runningGateway } from "../../running-gateway.ts";
import type { ServerChoice } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { profileList } from "../../sign-in/profile-list.ts";
import { exitCodeOfRows, subjectOf, testProfile } from "../../sign-in/profile-row.ts";
import type { ProfileRow, Subject } from "../../sign-in/profile-row.ts";

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
      ["agent auth status --all --json", "every profile, for a script"],
    ],
    /**
     * With `--json` an array of `{url, name, endpoint, who, role, scopes, organization, maskedToken, store, source,
     * createdAt, expiresAt, renews, result, reason}`. Exit code 0, 3, 4 or 1 by the worst row.
     */
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
        if (options.json) refuseBadRows(rows);
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
  const { io, environment } = context;
  if (!options.all) {
    const choice = await findActiveServer(options, context, dependencies);
    if (choice) return [await subjectFor(choice, options, context, dependencies)];
  }
  refuseInsecure(options);
  const name = options.profile ?? environment.profile;
  const saved = await dependencies.openProfiles(context).list();
  const wanted = saved.filter((profile) => name === undefined || profile.name === name);
  if (wanted.some((profile) => environmentTokenCounts(profile.url, context))) {
    io.note("ONEDOOR_TOKEN is set and wins over the saved profile");
  }
  return wanted.map(subjectOf);
}

async function subjectFor(
  choice: ServerChoice,
  options: ServerOptions,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Subject> {
  const { profile } = choice;
  const elsewhere =
    options.token !== undefined || environmentTokenCounts(choice.canonical, context);
  if (options.token === undefined && elsewhere) {
    context.io.note("ONEDOOR_TOKEN is set and wins over the saved profile");
  }
  return {
    url: choice.canonical,
    name: profile?.name ?? options.profile ?? context.environment.profile ?? "default",
    endpoint: choice.endpoint,
    server: choice.server,
    profile,
    ...(elsewhere && {
      bearer: await bearerFor(choice, options, context, dependencies),
    }),
  };
}

async function print(
  rows: readonly ProfileRow[],
  options: GlobalOptions,
  { io, now }: Context,
): Promise<void> {
  if (options.format === "json") {
    await io.out(jsonText(rows.map(rowJson), io));
  } else if (rows.length > 0) {
    await io.out(profileList(rows, now(), io));
  }
  if (rows.length === 0) {
    throw new AppError("auth_required", "No profile is saved", { hint: "agent auth login" });
  }
  // With --json everything is in the array, and stderr is for the one error line alone.
  if (options.json) return;
  for (const row of rows) {
    if (row.reason !== undefined) io.note(`${row.url}: ${row.reason}`, { always: true });
    const hint = hintOf(row);
    if (hint !== undefined) io.note(`hint: ${hint}`);
    if (row.warning !== undefined) io.note(row.warning, { always: true });
  }
}

/** What helps with a row: another token, unless it is something else that keeps the server from being asked. */
function hintOf(row: ProfileRow): string | undefined {
  const { result, source } = row;
  const isAboutToken = result === "missing" || result === "rejected" || result === "expired";
  const isAway = result === "missing" && row.hint !== undefined;
  return isAboutToken && !isAway ? refusedHint(source, loginHint(row)) : row.hint;
}

/**
 * The error line of the row that decides the exit code; nothing when all are good.
 * @throws AppError
 */
function refuseBadRows(rows: readonly ProfileRow[]): void {
  const code = exitCodeOfRows(rows);
  const worst = rows.find((row) => code !== 0 && exitCodeOfRows([row]) === code);
  if (worst === undefined) return;
  const reason = worst.reason === undefined ? "" : `: ${worst.reason}`;
  throw new AppError(
    errorOfResult[worst.result] ?? "internal",
    `${worst.url}: ${worst.result}${reason}`,
    {
      hint: hintOf(worst),
    },
  );
}

const errorOfResult: Readonly<Partial<Record<ProfileRow["result"], ErrorCode>>> = {
  rejected: "auth_rejected",
  expired: "auth_rejected",
  missing: "auth_required",
  unreachable: "unreachable",
  "store unavailable": "store_unavailable",
};

function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function rowJson(row: ProfileRow): Record<string, string | boolean | readonly string[] | null> {
  return {
    url: row.url,
    name: row.name,
    endpoint: row.endpoint,
    who: row.who ?? null,
    role: row.role ?? null,
    scopes: row.scopes ?? null,
    organization: row.organization ?? null,
    maskedToken: row.maskedToken ?? null,
    store: row.store ?? null,
    source: row.source,
    createdAt: isoTime(row.createdAtMs),
    expiresAt: isoTime(row.expiresAtMs),
    renews: row.renews ?? null,
    result: row.result,
    reason: row.reason ?? null,
  };
}
