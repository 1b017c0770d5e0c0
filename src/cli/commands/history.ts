import type { ChangeRow } from "../../client/administration-answers.ts";
import { changedEntities } from "../../core/change.ts";
import { AppError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { oneLine } from "../../core/terminal-text.ts";
import { withAdministration } from "../administration/administration-access.ts";
import { shownSecond } from "../audit/audit-rows.ts";
import type { CommandModule } from "../command.ts";
import type { Io } from "../context.ts";
import { fittingTable } from "../render/fitting-table.ts";
import { inLine } from "../render/foreign-text.ts";
import { jsonText } from "../render/json-text.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

interface HistoryOptions {
  entity?: string | undefined;
  id?: string | undefined;
  limit: number;
}

const mostRows = 100_000;

export function createHistory(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<HistoryOptions> {
  return {
    talksToServer: true,
    options: {
      entity: { type: "string", choices: changedEntities, describe: "Only changes to these" },
      id: {
        type: "string",
        placeholder: "<id>",
        describe: "Only to this one; a member is <organisation>/<user>",
      },
      limit: {
        type: "number",
        placeholder: "<n>",
        describe: "The newest so many",
        default: 100,
      },
    },
    about: [
      "Every change to organisations, users, members, tokens and servers that took effect, the newest last: who made it, or that the configuration file was edited.",
    ],
    examples: [
      ["agent history", "the newest hundred changes"],
      ["agent history --entity server --id files", "what became of one server's entry"],
      ["agent history --entity token --json", "for a script"],
    ],
    /**
     * With `--json` an array of `{sequence, id, time, actor, user_id, organization_id, entity, entity_id, action,
     * before, after}`, null where there is none.
     */
    async run(options, context) {
      const { entity, id, limit } = options;
      if (!Number.isInteger(limit) || limit < 1 || limit > mostRows) {
        throw new AppError("usage", `--limit must be a whole number from 1 to ${mostRows}`);
      }
      if (id !== undefined && entity === undefined) {
        throw new AppError("usage", "--id needs --entity", { hint: "What is it the id of?" });
      }
      const newest = await withAdministration(options, context, dependencies, (client) =>
        client.history({ entity, id, limit }),
      );
      const rows = newest.toReversed();
      const { io } = context;
      if (options.format === "json") await io.out(jsonText(rows, io));
      else if (rows.length > 0) await io.out(historyText(rows, io));
      else io.note("No such changes are recorded", { always: true });
    },
  };
}

export const command = createHistory();

/** A table, and below each row what changed. */
function historyText(rows: readonly ChangeRow[], io: Io): string {
  const cells = rows.map((row) => [
    shownSecond(row.time),
    inLine(row.actor, io, 40),
    inLine(row.user_id ?? "-", io, 100),
    inLine(`${row.entity} ${row.entity_id}`, io, 200),
    inLine(row.action, io, 20),
  ]);
  const table = fittingTable([["TIME (UTC)", "ACTOR", "WHO", "WHAT", "ACTION"], ...cells], io, [0]);
  const [head = "", ...lines] = table.trimEnd().split("\n");
  const below = rows.map((row) => changeLine(row, io));
  const body = lines.map((line, index) => `${line}\n${below[index] ?? ""}`);
  return `${head}\n${body.join("")}`;
}

/** What the table says already. */
const told: ReadonlySet<string> = new Set(["id", "createdAt", "deletedAt", "revokedAt"]);

/** `    role: "viewer" → "editor"`, or nothing where only the action tells. */
function changeLine({ before, after }: ChangeRow, io: Io): string {
  if (after === null) return "";
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after)])];
  const changes = names.flatMap((name) => {
    const [was, is] = [valueOf(before, name), valueOf(after, name)];
    if (told.has(name) || was === is) return [];
    return [`${name}: ${before === null ? "" : `${short(was)} → `}${short(is)}`];
  });
  if (changes.length === 0) return "";
  const width = io.stdoutIsTerminal ? Math.max(20, io.columns - 4) : 2000;
  return `    ${oneLine(inLine(changes.join(", "), io, width), width)}\n`;
}

function valueOf(entry: JsonObject | null, name: string): string {
  const value: Json | undefined =
    entry !== null && Object.hasOwn(entry, name) ? entry[name] : undefined;
  return value === undefined || value === null ? "none" : JSON.stringify(value);
}

function short(json: string): string {
  return oneLine(json, 60);
}
