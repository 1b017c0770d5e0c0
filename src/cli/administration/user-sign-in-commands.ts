import type { UserRow } from "../../client/administration-answers.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { CommandModule, PositionalSpec } from "../command.ts";
import { inLine } from "../render/foreign-text.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";
import { withAdministration } from "./administration-access.ts";
import { checkedId } from "./checked-id.ts";
import { noteUnusable } from "./note-unusable.ts";
import { readNewPassword } from "./read-new-password.ts";
import { tellRow } from "./tell-rows.ts";

interface IdOptions {
  id: string;
}

export interface UserSignInCommands {
  disable: CommandModule<IdOptions>;
  enable: CommandModule<IdOptions>;
  passwd: CommandModule<IdOptions>;
}

const target: PositionalSpec = { name: "id", describe: "The user's id", required: true };

/** Whether a user gets in, and with which password. */
export function createUserSignInCommands(dependencies: AuthDependencies): UserSignInCommands {
  return {
    disable: {
      talksToServer: true,
      options: {},
      positionals: [target],
      about: [
        "The user gets in nowhere: sessions end at once and for good, tokens are good for nothing until the user is enabled. Nothing is removed.",
      ],
      examples: [["agent user disable bob@example.com", "keep Bob out, until he is enabled"]],
      /** With `--json` the user as in `list`. */
      async run(options, context) {
        const id = checkedId("<id>", options.id);
        const row = await withAdministration(options, context, dependencies, (client) =>
          client.users.disable(id),
        );
        await tellRow(row, `Disabled user ${inLine(row.id, context.io, 100)}`, options, context);
      },
    },
    enable: {
      talksToServer: true,
      options: {},
      positionals: [target],
      about: [
        "The password and the tokens are good again, as they were. Sessions that ended stay ended.",
      ],
      examples: [["agent user enable bob@example.com", "let Bob in again"]],
      /** With `--json` the user as in `list`. */
      async run(options, context) {
        const id = checkedId("<id>", options.id);
        const row = await withAdministration(options, context, dependencies, (client) =>
          client.users.enable(id),
        );
        await tellRow(row, `Enabled user ${inLine(row.id, context.io, 100)}`, options, context);
      },
    },
    passwd: {
      talksToServer: true,
      options: {},
      positionals: [target],
      about: [
        "Sets what the user signs in with at a gateway whose auth lists simple, in place of the password before. The user's sessions end; other tokens stay.",
        "On a terminal it is asked for twice, and not shown. Otherwise it is the first line of stdin. It has at least 12 characters and at most 1024 bytes, and is not the user's id.",
      ],
      examples: [
        ["agent user passwd bob@example.com", "ask for it on the terminal"],
        ["pass show bob | agent user passwd bob@example.com", "take it from a pipe"],
      ],
      /** With `--json` the user as in `list`. */
      async run(options, context) {
        const id = checkedId("<id>", options.id);
        await withAdministration(options, context, dependencies, async (client, gateway) => {
          const row = await client.users.setPassword(id, await readNewPassword(id, context));
          const who = inLine(row.id, context.io, 100);
          const done = `Set the password of ${who}; sessions of before are over`;
          await tellRow(row, done, options, context);
          const left = row.livePersonalTokens ?? 0;
          if (left > 0) {
            const mine = `agent token list --user ${quoteForShell(row.id)}`;
            context.io.note(
              left === 1
                ? `One token made for the user still lets in: ${mine}`
                : `${left} tokens made for the user still let in: ${mine}`,
            );
          }
          await noteUnusable("password", gateway, options, context, dependencies);
        });
      },
    },
  };
}

/** Of a list: whether a user can sign in with a password, as far as the gateway says. */
export function signInOf({ disabledAt, passwordSetAt }: UserRow): string {
  if (typeof disabledAt === "string") return "disabled";
  if (passwordSetAt === undefined) return "-";
  return passwordSetAt === null ? "none" : "password";
}
