import type { UserRow } from "../../client/administration-answers.ts";
import type { CommandModule, PositionalSpec } from "../command.ts";
import type { Context } from "../context.ts";
import { fittingTable } from "../render/fitting-table.ts";
import { inLine } from "../render/foreign-text.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";
import { withAdministration } from "./administration-access.ts";
import { checkedId } from "./checked-id.ts";
import { shownDay } from "./shown-day.ts";
import { tellRow, tellRows } from "./tell-rows.ts";

interface IdOptions {
  id: string;
}
interface AddOptions extends IdOptions {
  name?: string | undefined;
}
export interface DeletedOptions {
  deleted: boolean;
}

export interface IdentityCommands {
  add: CommandModule<AddOptions>;
  list: CommandModule<DeletedOptions>;
  remove: CommandModule<IdOptions>;
  restore: CommandModule<IdOptions>;
}

export interface IdentityKind {
  collection: "organizations" | "users";
  /** `agent <group> …` */
  group: "org" | "user";
  one: string;
  many: string;
  /** For the examples: one id, and its name. */
  example: readonly [id: string, name: string];
  /** What becomes of whoever depends on it when it is removed. */
  removal: string;
  /** One more column of the list of those that are there. */
  column?: { head: string; cell: (row: UserRow) => string } | undefined;
}

/** The option of every list of what can be deleted. */
export const deletedOption = {
  type: "boolean",
  describe: "Those that were removed, and can be restored",
} as const;

/** `add`, `list`, `remove` and `restore` of organisations or users, which differ in words alone. */
export function createIdentityCommands(
  kind: IdentityKind,
  dependencies: AuthDependencies,
): IdentityCommands {
  const { collection, group, one, many, example, removal, column } = kind;
  const [id, name] = example;
  const target: PositionalSpec = { name: "id", describe: `The ${one}'s id`, required: true };

  /** A command that does one thing to one of them, and tells what became of it. */
  const change = (
    verb: "remove" | "restore",
    done: string,
    about: readonly string[],
    explains: string,
  ): CommandModule<IdOptions> => ({
    talksToServer: true,
    options: {},
    positionals: [target],
    about,
    examples: [[`agent ${group} ${verb} ${id}`, explains]],
    /** With `--json`: `{id, name, createdAt, deletedAt}`. */
    async run(options, context) {
      const wanted = checkedId("<id>", options.id);
      const row = await withAdministration(options, context, dependencies, (client) =>
        client[collection][verb](wanted),
      );
      await tellRow(row, `${done} ${one} ${inLine(row.id, context.io, 100)}`, options, context);
    },
  });

  return {
    add: {
      talksToServer: true,
      options: {
        name: { type: "string", placeholder: "<name>", describe: "What people call it" },
      },
      positionals: [
        {
          name: "id",
          describe: "Lower-case letters and digits, and . _ - + @ inside; at most 100",
          required: true,
        },
      ],
      examples: [[`agent ${group} add ${id} --name '${name}'`, `add the ${one} ${id}`]],
      /** With `--json`: `{id, name, createdAt, deletedAt}`. */
      async run(options, context) {
        const body = { id: checkedId("<id>", options.id), name: options.name };
        const row = await withAdministration(options, context, dependencies, (client) =>
          client[collection].add(body),
        );
        await tellRow(row, `Added ${one} ${inLine(row.id, context.io, 100)}`, options, context);
      },
    },
    list: {
      talksToServer: true,
      options: { deleted: deletedOption },
      examples: [
        [`agent ${group} list`, `the ${many}`],
        [`agent ${group} list --deleted`, "those that can be restored"],
      ],
      /** With `--json` an array of `{id, name, createdAt, deletedAt}`. */
      async run(options, context) {
        const { deleted } = options;
        const rows = await withAdministration(options, context, dependencies, (client) =>
          client[collection].list({ deleted }),
        );
        const none = deleted ? `No ${many} are removed` : `There are no ${many}`;
        const table = (): string =>
          deleted ? removedTable(rows, context.io) : identityTable(rows, column, context.io);
        await tellRows(rows, { none, table }, options, context);
      },
    },
    remove: change("remove", "Removed", [removal], `remove it, until it is restored`),
    restore: change("restore", "Restored", [], `bring it back`),
  };
}

function identityTable(
  rows: readonly UserRow[],
  column: IdentityKind["column"],
  io: Context["io"],
): string {
  const cells = rows.map((row) => [
    ...named(row, io),
    ...(column === undefined ? [] : [column.cell(row)]),
    shownDay(row.createdAt),
  ]);
  const head = ["ID", "NAME", ...(column === undefined ? [] : [column.head]), "ADDED"];
  return fittingTable([head, ...cells], io, [0]);
}

function removedTable(rows: readonly UserRow[], io: Context["io"]): string {
  const cells = rows.map((row) => [...named(row, io), shownDay(row.deletedAt ?? row.createdAt)]);
  return fittingTable([["ID", "NAME", "REMOVED"], ...cells], io, [0]);
}

function named({ id, name }: UserRow, io: Context["io"]): string[] {
  return [inLine(id, io, 100), inLine(name, io, 100) || "-"];
}
