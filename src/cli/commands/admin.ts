import { AppError } from "../../core/errors.ts";
import { withAdministration } from "../administration/administration-access.ts";
import { askYesNo } from "../ask-line.ts";
import type { CommandModule, GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { hasPerson } from "../has-person.ts";
import { readTime, timeHelp } from "../read-time.ts";
import { jsonText } from "../render/json-text.ts";
import { wrap } from "../render/wrap.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";
import { shownTime } from "../render/shown-time.ts";

interface PurgeOptions {
  before?: string | undefined;
  yes: boolean;
}

export function createPurge(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<PurgeOptions> {
  return {
    talksToServer: true,
    options: {
      before: {
        type: "string",
        placeholder: "<time>",
        describe: `Only what was removed before this; needed: ${timeHelp}`,
      },
      yes: { type: "boolean", alias: "y", describe: "Do not ask" },
    },
    about: [
      "What is removed stays restorable until it is purged. A purge cannot be undone: organisations, users, memberships and tokens that were removed before that time are gone, and what the change history holds of servers' old entries with them.",
    ],
    examples: [
      ["agent admin purge --before 90d", "what has been removed for longer than 90 days; it asks"],
      ["agent admin purge --before 2026-01-01 --yes", "for a script"],
    ],
    /** With `--json`: `{purged: {organizations, users, members, tokens, serverEntries}}`. */
    async run(options, context) {
      if (options.before === undefined) {
        throw new AppError("usage", "--before is missing", {
          hint: "agent admin purge --before 90d",
        });
      }
      const beforeMs = readTime("--before", options.before, context.now());
      await withAdministration(options, context, dependencies, async (client) => {
        if (!(await isMeant(beforeMs, options, context))) {
          context.io.note("Nothing was removed", { always: true });
          return;
        }
        const purged = await client.purge(new Date(beforeMs).toISOString());
        const { organizations, users, members, tokens, serverEntries } = purged;
        const counts = [
          counted(organizations, "organisation"),
          counted(users, "user"),
          counted(members, "membership"),
          counted(tokens, "token"),
          counted(serverEntries, "old server entry", "old server entries"),
        ];
        await context.io.out(
          options.format === "json"
            ? jsonText({ purged }, context.io)
            : `Removed for good: ${counts.join(", ")}\n`,
        );
      });
    },
  };
}

export const purge = createPurge();

/** @throws AppError `usage` where there is nobody to ask */
async function isMeant(
  beforeMs: number,
  { yes, json, quiet }: PurgeOptions & GlobalOptions,
  context: Context,
): Promise<boolean> {
  if (yes) return true;
  const { io } = context;
  const what = `organisations, users, memberships and tokens that were removed before ${shownTime(beforeMs)}, and servers' old entries in the change history`;
  if (json || quiet || !hasPerson(context)) {
    throw new AppError("usage", "A purge cannot be undone, and nobody is there to be asked", {
      hint: `--yes removes for good: ${what}`,
    });
  }
  for (const line of wrap(`This removes for good: ${what}.`, io.columns)) {
    io.note(line, { always: true });
  }
  return askYesNo("Go on?", false, context);
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
