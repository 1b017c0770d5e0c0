import type { FreshToken } from "../../client/administration-answers.ts";
import type { NewToken } from "../../client/administration-client.ts";
import { AppError } from "../../core/errors.ts";
import { roles } from "../../core/principal.ts";
import { scopeForms } from "../../core/scopes.ts";
import { withAdministration } from "../administration/administration-access.ts";
import { checkedId, checkedName } from "../administration/checked-id.ts";
import { tellRow, tellRows } from "../administration/tell-rows.ts";
import { noteUnusable } from "../administration/note-unusable.ts";
import { checkedScopes, shownLimits } from "../administration/token-scopes.ts";
import { tokenTable } from "../administration/token-table.ts";
import type { CommandModule, PositionalSpec } from "../command.ts";
import type { Context } from "../context.ts";
import { readLifetime } from "../read-time.ts";
import { inLine } from "../render/foreign-text.ts";
import { jsonText } from "../render/json-text.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";
import { shownTime } from "../render/shown-time.ts";

interface CreateOptions {
  name?: string | undefined;
  user?: string | undefined;
  organization?: string | undefined;
  role?: string | undefined;
  scope: readonly string[];
  expires?: string | undefined;
}
interface ListOptions {
  user?: string | undefined;
  revoked: boolean;
}
interface IdOptions {
  id: string;
}
interface TokenCommands {
  create: CommandModule<CreateOptions>;
  list: CommandModule<ListOptions>;
  rotate: CommandModule<IdOptions>;
  revoke: CommandModule<IdOptions>;
}

const tokenId: PositionalSpec = {
  name: "id",
  describe: "The token's id, as agent token list shows it",
  required: true,
};
const shownOnce = "The token is shown this once, alone on stdout: the gateway keeps no copy of it.";

export function createTokenCommands(
  dependencies: AuthDependencies = authDependencies,
): TokenCommands {
  return {
    create: {
      talksToServer: true,
      options: {
        name: {
          type: "string",
          placeholder: "<name>",
          describe: "What it is for; needed",
        },
        user: {
          type: "string",
          placeholder: "<id>",
          describe: "Whose token it is (default: yours); goes with --organization",
        },
        organization: {
          type: "string",
          placeholder: "<id>",
          describe: "The organisation it acts in, of which the user is a member",
        },
        role: {
          type: "string",
          choices: roles,
          describe: "The most it may be used for (default: what its user may at each call)",
        },
        scope: {
          type: "array",
          placeholder: "<scope>",
          describe: `Good for this alone, once for each: ${scopeForms}`,
        },
        expires: {
          type: "string",
          placeholder: "<time>",
          describe: "12h, 30d, a date, or never (default: 90d)",
        },
      },
      about: [shownOnce],
      examples: [
        [
          "agent token create --name ci --user bob@example.com --organization acme --role viewer",
          "a token for Bob's build, that only reads",
        ],
        [
          "agent token create --name reports --user bob@example.com --organization acme --scope server:db --scope role:viewer",
          "one that reads from the server db, and sees no other",
        ],
        [
          "agent token create --name prometheus --scope metrics --expires never > token",
          "one that reads /metrics and nothing else",
        ],
      ],
      /** With `--json`: `{token, details}`; details as in `list`. */
      async run(options, context) {
        const asked = newToken(options, context.now());
        await withAdministration(options, context, dependencies, async (client, gateway) => {
          await hand(await client.tokens.create(asked), options, context);
          await noteUnusable("token", gateway, options, context, dependencies);
        });
      },
    },
    list: {
      talksToServer: true,
      options: {
        user: { type: "string", placeholder: "<id>", describe: "Only this user's" },
        revoked: { type: "boolean", describe: "Those that were taken back" },
      },
      examples: [
        ["agent token list", "the tokens that are good, and whose they are"],
        ["agent token list --user bob@example.com --json", "one user's, for a script"],
      ],
      /**
       * With `--json` an array of `{id, kind, name, user, organization, role, effectiveRole, scopes, createdAt,
       * expiresAt, revokedAt}`.
       */
      async run(options, context) {
        const { user, revoked } = options;
        const rows = await withAdministration(options, context, dependencies, (client) =>
          client.tokens.list({ user, deleted: revoked }),
        );
        const none = revoked ? "No tokens were taken back" : "There are no tokens";
        const table = (): string => tokenTable(rows, revoked, context.io);
        await tellRows(rows, { none, table }, options, context);
      },
    },
    rotate: {
      talksToServer: true,
      options: {},
      positionals: [tokenId],
      about: [
        "Makes a new token in place of the old one, which is dead at once. What it is good for and until when stays as it is.",
        shownOnce,
      ],
      examples: [["agent token rotate 5d1f0f0e-8c3a-4d4e-9b43-6d8f4d7f0c11", "replace a token"]],
      /** With `--json`: `{token, details}`. */
      async run(options, context) {
        const id = checkedName("<id>", options.id);
        const fresh = await withAdministration(options, context, dependencies, (client) =>
          client.tokens.rotate(id),
        );
        await hand(fresh, options, context);
      },
    },
    revoke: {
      talksToServer: true,
      options: {},
      positionals: [tokenId],
      about: ["The token is dead at once, and what it holds open ends."],
      examples: [["agent token revoke 5d1f0f0e-8c3a-4d4e-9b43-6d8f4d7f0c11", "take it back"]],
      /** With `--json` the token as in `list`. */
      async run(options, context) {
        const id = checkedName("<id>", options.id);
        const row = await withAdministration(options, context, dependencies, (client) =>
          client.tokens.revoke(id),
        );
        const { io } = context;
        const named = `${inLine(row.name, io, 100)} (${inLine(row.id, io, 100)})`;
        await tellRow(row, `Token ${named} is dead`, options, context);
      },
    },
  };
}

export const { create, list, rotate, revoke } = createTokenCommands();

/** @throws AppError `usage` */
function newToken(options: CreateOptions, nowMs: number): NewToken {
  const { name, user, organization, role, scope, expires } = options;
  if (name === undefined) {
    throw new AppError("usage", "--name is missing", { hint: "Say what the token is for" });
  }
  if ((user === undefined) !== (organization === undefined)) {
    throw new AppError("usage", "--user and --organization go together", {
      hint: "Leave out both for a token of your own",
    });
  }
  const lifetimeMs = expires === undefined ? undefined : readLifetime("--expires", expires, nowMs);
  return {
    name,
    ...(user !== undefined && { user: checkedId("--user", user) }),
    ...(organization !== undefined && {
      organization: checkedId("--organization", organization),
    }),
    ...(role !== undefined && { role }),
    ...(scope.length > 0 && { scopes: checkedScopes(scope, role) }),
    ...(lifetimeMs !== undefined && {
      expiresInSeconds: lifetimeMs === null ? null : Math.max(1, Math.floor(lifetimeMs / 1000)),
    }),
  };
}

/** The token alone on stdout, whatever else there is to say on stderr. */
async function hand(
  { token, details }: FreshToken,
  options: { format: string },
  { io, secrets }: Context,
): Promise<void> {
  secrets.add(token);
  if (options.format === "json") {
    await io.out(jsonText({ token, details }, io), { exact: true });
    return;
  }
  const { user, organization, expiresAt } = details;
  const place = organization === null ? "" : ` in ${inLine(organization, io, 100)}`;
  const { role = "as its user", scopes, opens } = shownLimits(details);
  const within = scopes === "" ? [] : [`for ${scopes} alone`];
  const good = (opens ? [role, ...within] : within).join(", ");
  const until = expiresAt === null ? "never" : shownTime(Date.parse(expiresAt));
  io.note(
    `Token ${inLine(details.name, io, 100)} (${inLine(details.id, io, 100)}) of ${inLine(user, io, 100)}${place}, ${inLine(good, io)}; expires ${until}`,
  );
  await io.out(`${token}\n`, { exact: true });
}
