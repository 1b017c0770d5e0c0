import type { MemberRow } from "../../client/administration-answers.ts";
import type { MemberKey } from "../../client/administration-client.ts";
import { roles } from "../../core/principal.ts";
import { withAdministration } from "../administration/administration-access.ts";
import { checkedId } from "../administration/checked-id.ts";
import { shownDay } from "../administration/shown-day.ts";
import { tellRow, tellRows } from "../administration/tell-rows.ts";
import { deletedOption } from "../administration/identity-commands.ts";
import type { DeletedOptions } from "../administration/identity-commands.ts";
import type { CommandModule, PositionalSpec } from "../command.ts";
import type { Context } from "../context.ts";
import { fittingTable } from "../render/fitting-table.ts";
import { inLine } from "../render/foreign-text.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

interface SetOptions extends MemberKey {
  role: string;
}
interface ListOptions extends DeletedOptions {
  organization?: string | undefined;
  user?: string | undefined;
}
interface MemberCommands {
  set: CommandModule<SetOptions>;
  list: CommandModule<ListOptions>;
  remove: CommandModule<MemberKey>;
  restore: CommandModule<MemberKey>;
}

const who: readonly PositionalSpec[] = [
  { name: "user", describe: "The user's id", required: true },
  { name: "organization", describe: "The organisation's id", required: true },
];

export function createMember(dependencies: AuthDependencies = authDependencies): MemberCommands {
  /** A command that does one thing to one membership. */
  const change = (
    verb: "remove" | "restore",
    done: (row: MemberRow, io: Context["io"]) => string,
    about: readonly string[],
    explains: string,
  ): CommandModule<MemberKey> => ({
    talksToServer: true,
    options: {},
    positionals: who,
    about,
    examples: [[`agent member ${verb} bob@example.com acme`, explains]],
    /** With `--json`: `{organization, user, role, createdAt, deletedAt}`. */
    async run(options, context) {
      const key = keyOf(options);
      const row = await withAdministration(options, context, dependencies, (client) =>
        client.members[verb](key),
      );
      await tellRow(row, done(row, context.io), options, context);
    },
  });

  return {
    set: {
      talksToServer: true,
      options: {},
      positionals: [
        ...who,
        { name: "role", describe: "What the user may do there", required: true, choices: roles },
      ],
      about: [
        "Makes a user a member of an organisation, or changes what a member may do there. It counts from the user's next call on.",
      ],
      examples: [
        ["agent member set bob@example.com acme editor", "let Bob call every tool Acme sees"],
        ["agent member set bob@example.com acme viewer", "only those that read, from now on"],
      ],
      /** With `--json`: `{organization, user, role, createdAt, deletedAt}`. */
      async run(options, context) {
        const key = keyOf(options);
        const { role } = options;
        const row = await withAdministration(options, context, dependencies, (client) =>
          client.members.set(key, role),
        );
        const { io } = context;
        await tellRow(row, `${named(row.user, io)} is ${inRole(row, io)} now`, options, context);
      },
    },
    list: {
      talksToServer: true,
      options: {
        organization: {
          type: "string",
          placeholder: "<id>",
          describe: "Only the members of this organisation",
        },
        user: {
          type: "string",
          placeholder: "<id>",
          describe: "Only what this user is a member of",
        },
        deleted: deletedOption,
      },
      examples: [
        ["agent member list --organization acme", "who is what at Acme"],
        ["agent member list --user bob@example.com --json", "where Bob is what, for a script"],
      ],
      /** With `--json` an array of `{organization, user, role, createdAt, deletedAt}`. */
      async run(options, context) {
        const { organization, user, deleted } = options;
        const filter = {
          organization: organization && checkedId("--organization", organization),
          user: user && checkedId("--user", user),
          deleted,
        };
        const rows = await withAdministration(options, context, dependencies, (client) =>
          client.members.list(filter),
        );
        const none = deleted ? "No members are removed" : "There are no members";
        const table = (): string => tableOf(rows, deleted, context.io);
        await tellRows(rows, { none, table }, options, context);
      },
    },
    remove: change(
      "remove",
      (row, io) => `${named(row.user, io)} is no member of ${named(row.organization, io)} any more`,
      ["The user's tokens for the organisation are dead at once."],
      "take Bob out of Acme, until he is restored",
    ),
    restore: change(
      "restore",
      (row, io) => `${named(row.user, io)} is ${inRole(row, io)} again`,
      [],
      "bring him back, in the role he had",
    ),
  };
}

export const { set, list, remove, restore } = createMember();

function keyOf({ user, organization }: MemberKey): MemberKey {
  return {
    user: checkedId("<user>", user),
    organization: checkedId("<organization>", organization),
  };
}

function named(id: string, io: Context["io"]): string {
  return inLine(id, io, 100);
}

function inRole({ role, organization }: MemberRow, io: Context["io"]): string {
  return `${inLine(role, io, 40)} in ${named(organization, io)}`;
}

function tableOf(rows: readonly MemberRow[], deleted: boolean, io: Context["io"]): string {
  const cells = rows.map((row) => [
    named(row.organization, io),
    named(row.user, io),
    inLine(row.role, io, 40),
    shownDay((deleted ? row.deletedAt : undefined) ?? row.createdAt),
  ]);
  const head = ["ORGANISATION", "USER", "ROLE", deleted ? "REMOVED" : "SINCE"];
  return fittingTable([head, ...cells], io, [0, 1]);
}
