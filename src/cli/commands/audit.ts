import { setTimeout as sleep } from "node:timers/promises";
import type { AuditRow } from "../../client/administration-answers.ts";
import type { AdministrationClient, AuditFilter } from "../../client/administration-client.ts";
import { auditStatuses } from "../../core/audit.ts";
import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { withAdministration } from "../administration/administration-access.ts";
import { everyRow, newestRows } from "../audit/audit-pages.ts";
import { auditTable, createRowWriter, rowJson } from "../audit/audit-rows.ts";
import type { Page } from "../audit/audit-rows.ts";
import { followAudit } from "../audit/follow-audit.ts";
import { openOutputFile } from "../audit/output-file.ts";
import { checkOutput } from "../calling/save-binary.ts";
import type { CommandModule, GlobalOptions, ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { globalOptions } from "../options.ts";
import { readTime, timeHelp } from "../read-time.ts";
import { jsonText } from "../render/json-text.ts";
import { progressBar } from "../render/progress-bar.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

interface AuditOptions extends Omit<AuditFilter, "since" | "until"> {
  follow: boolean;
  since?: string | undefined;
  until?: string | undefined;
  limit?: number | undefined;
  output?: string | undefined;
}

type Options = AuditOptions & GlobalOptions & ServerOptions;

/** How many rows are shown where nobody says. */
const defaultLimit = 100;
const followedLimit = 10;
/** More rows than this are not gathered; an export takes them page by page. */
const mostGathered = 100_000;
/** How long one question of a follower may take, in milliseconds. */
const questionMs = 30_000;

export function createAudit(
  dependencies: AuthDependencies = authDependencies,
  pause: (ms: number, signal: AbortSignal) => Promise<void> = pauseFor,
): CommandModule<AuditOptions> {
  return {
    talksToServer: true,
    options: {
      follow: { type: "boolean", alias: "f", describe: "Go on with new calls as they are made" },
      since: {
        type: "string",
        placeholder: "<time>",
        describe: `Only calls from this time on: ${timeHelp}`,
      },
      until: { type: "string", placeholder: "<time>", describe: "Only calls before this time" },
      tool: {
        type: "string",
        placeholder: "<glob>",
        describe: "Only tools of this name, with * and ?",
      },
      status: { type: "string", choices: auditStatuses, describe: "Only calls that ended so" },
      user: { type: "string", placeholder: "<id>", describe: "Only this user's" },
      organization: { type: "string", placeholder: "<id>", describe: "Only this organisation's" },
      project: { type: "string", placeholder: "<name>", describe: "Only of this project" },
      session: { type: "string", placeholder: "<id>", describe: "Only of this session" },
      client: { type: "string", placeholder: "<name>", describe: "Only by this client" },
      limit: {
        type: "number",
        placeholder: "<n>",
        describe: "The newest so many (default: 100; jsonl and csv: all; --follow: 10 first)",
      },
      format: {
        ...globalOptions.format,
        choices: ["text", "json", "jsonl", "csv"],
        describe: "Form of the result; jsonl and csv export every call",
      },
      output: {
        type: "string",
        alias: "o",
        placeholder: "<file>",
        describe: "Write into this file, which nobody else can read",
      },
    },
    about: [
      "Every tool call is in it, allowed or refused; the newest is the last. What the client says of itself, project, session and client, is not proved.",
      "With --follow, --json is one object a line. In csv, a cell that a spreadsheet could take for a formula begins with an apostrophe.",
    ],
    examples: [
      ["agent audit", "the newest hundred calls"],
      ["agent audit --follow --status denied", "refusals, as they happen"],
      ["agent audit --since 30d --format csv -o audit.csv", "a month for a spreadsheet"],
      ["agent audit --tool 'files__*' --json | jq '.[].params'", "what a server was asked"],
    ],
    /**
     * With `--json` an array of `{sequence, id, time, tool_name, params, status, duration_ms, user_id,
     * organization_id, project_id, session_id, client_name}`, null where there is none.
     */
    async run(options, context) {
      const filter = filterOf(options, context.now());
      const limit = checkedLimit(options.limit);
      if (options.follow) refuseWithFollow(options);
      if (options.output !== undefined) await checkOutput(options.output);
      await withAdministration(options, context, dependencies, async (client) => {
        await (options.follow
          ? follow(client, filter, limit ?? followedLimit, options, context, pause)
          : write(client, filter, limit, options, context));
      });
    },
  };
}

export const command = createAudit();

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

/** @throws AppError `usage` */
function filterOf(options: AuditOptions, nowMs: number): AuditFilter {
  const { tool, status, user, organization, project, session, client } = options;
  const timeOf = (name: string, text: string | undefined): string | undefined =>
    text === undefined ? undefined : new Date(readTime(name, text, nowMs)).toISOString();
  const since = timeOf("--since", options.since);
  const until = timeOf("--until", options.until);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new AppError("usage", "--since lies not before --until");
  }
  return { since, until, tool, status, user, organization, project, session, client };
}

function checkedLimit(limit: number | undefined): number | undefined {
  if (limit === undefined) return undefined;
  if (Number.isInteger(limit) && limit >= 1 && limit <= mostGathered) return limit;
  throw new AppError("usage", `--limit must be a whole number from 1 to ${mostGathered}`, {
    hint: "--format jsonl or csv without --limit takes all",
  });
}

function refuseWithFollow({ until, output }: AuditOptions): void {
  const other = until === undefined ? (output === undefined ? undefined : "--output") : "--until";
  if (other === undefined) return;
  throw new AppError("usage", `--follow has no end: it goes not with ${other}`);
}

async function follow(
  client: AdministrationClient,
  filter: AuditFilter,
  first: number,
  options: Options,
  { io, signal }: Context,
  pause: (ms: number, signal: AbortSignal) => Promise<void>,
): Promise<never> {
  const writer = createRowWriter(options.format, io);
  if (writer.head !== "") await io.out(writer.head);
  return followAudit({
    client,
    filter,
    first,
    async write(rows) {
      if (rows.length > 0) await io.out(writer.lines(rows));
    },
    say(line) {
      // It may go away more than once.
      if (!options.quiet && !options.json) io.note(line, { always: true });
    },
    pause: (ms) => pause(ms, signal),
    signal,
    timeoutMs: options.timeoutMs ?? questionMs,
  });
}

/** Where rows go, and what becomes of it in the end. */
interface Target {
  page: Page;
  put: (text: string) => Promise<void>;
}

async function write(
  client: AdministrationClient,
  filter: AuditFilter,
  limit: number | undefined,
  options: Options,
  context: Context,
): Promise<void> {
  const { io } = context;
  const { output } = options;
  if (output === undefined) {
    await writeTo(
      { page: io, put: (text) => io.out(text) },
      client,
      filter,
      limit,
      options,
      context,
    );
    return;
  }
  const file = await openOutputFile(output);
  context.onForcedEnd(() => file.abandonNow());
  const page: Page = { stdoutIsTerminal: false, columns: 80, foreign: (text) => text };
  const target = { page, put: (text: string) => file.write(context.secrets.mask(text)) };
  try {
    const count = await writeTo(target, client, filter, limit, options, context);
    await file.finish();
    io.note(`${count} ${count === 1 ? "call" : "calls"} written to ${quoteForShell(output)}`);
  } finally {
    await file.abandon();
  }
}

/** @returns how many rows were written */
async function writeTo(
  target: Target,
  client: AdministrationClient,
  filter: AuditFilter,
  limit: number | undefined,
  options: Options,
  context: Context,
): Promise<number> {
  const { format } = options;
  const isExport = (format === "jsonl" || format === "csv") && limit === undefined;
  if (isExport) return writeAll(target, client, filter, options, context);
  const rows = await newestRows(client, filter, limit ?? defaultLimit);
  await writeRows(target, rows, options, context);
  return rows.length;
}

async function writeRows(
  { page, put }: Target,
  rows: readonly AuditRow[],
  { format }: Options,
  { io }: Context,
): Promise<void> {
  if (format === "json") {
    await put(jsonText(rows.map(rowJson), page));
  } else if (format !== "text") {
    const writer = createRowWriter(format, page);
    await put(writer.head + writer.lines(rows));
  } else if (rows.length > 0) {
    await put(auditTable(rows, page));
  } else {
    io.note("No such calls are recorded", { always: true });
  }
}

/** Everything, one page in memory at a time; each page that came extends the deadline. */
async function writeAll(
  { page, put }: Target,
  client: AdministrationClient,
  filter: AuditFilter,
  options: Options,
  { io, deadline }: Context,
): Promise<number> {
  const writer = createRowWriter(options.format, page);
  if (writer.head !== "") await put(writer.head);
  // Rows on the same terminal show well enough how far it is.
  const showsRows = options.output === undefined && io.stdoutIsTerminal;
  const spinner = showsRows ? undefined : io.spin("Exporting the audit log");
  let count = 0;
  let first: number | undefined;
  try {
    for await (const { rows, last } of everyRow(client, filter)) {
      await put(writer.lines(rows));
      deadline.extend();
      count += rows.length;
      first ??= rows[0]?.sequence ?? last;
      const at = rows.at(-1)?.sequence ?? last;
      const progress = { progress: at - first + 1, total: last - first + 1 };
      spinner?.update(
        progressBar(
          "Exporting the audit log",
          { ...progress, message: `${count} calls` },
          io.columns,
        ),
      );
    }
  } finally {
    spinner?.stop();
  }
  return count;
}
