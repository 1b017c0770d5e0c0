import { changedEntities } from "../../core/change.ts";
import { AppError } from "../../core/errors.ts";
import { withAdministration } from "../administration/administration-access.ts";
import { historyTable } from "../administration/history-table.ts";
import type { CommandModule } from "../command.ts";
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
      "Every change to organisations, users, members, tokens and servers that took effect, the newest last: who made it, or that the configuration file was edited; and what servers offer that they did not (--entity tool), and who approved it.",
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
      else if (rows.length > 0) await io.out(historyTable(rows, io));
      else io.note("No such changes are recorded", { always: true });
    },
  };
}

export const command = createHistory();
