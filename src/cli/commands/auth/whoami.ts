import { shownAddress } from "../../../client/http-json.ts";
import type { AuthenticationProbe } from "../../../client/probe-authentication.ts";
import { AppError } from "../../../core/errors.ts";
import { limitsOf } from "../../../core/scopes.ts";
import { shownScopes } from "../../administration/token-scopes.ts";
import type { CommandModule, GlobalOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { inLine } from "../../render/foreign-text.ts";
import { jsonText } from "../../render/json-text.ts";
import { textTable } from "../../render/text-table.ts";
import { bearerFor, chooseServer, loginHint, refusedHint } from "../../server-choice.ts";
import type { ServerChoice } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { shownTime } from "../../sign-in/profile-row.ts";

export function createWhoami(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<object> {
  return {
    talksToServer: true,
    options: {},
    examples: [["agent auth whoami", "who the running gateway says you are"]],
    /**
     * With `--json`: `{url, authenticated, user: {id, name}, organization, role, scopes, method, expiresAt}`,
     * null where the server does not say.
     */
    async run(options, context) {
      const choice = await chooseServer(options, context, dependencies);
      const bearer = await bearerFor(choice, options, context, dependencies);
      const probe = await dependencies.probeAuthentication(
        choice.endpoint,
        bearer.token,
        context.deadline.signal,
        choice.server === "unknown" ? undefined : choice.server,
      );
      const key = { url: choice.canonical, name: bearer.profile?.name };
      if (probe.kind === "required") {
        throw new AppError("auth_required", `Not signed in to ${choice.canonical}`, {
          hint: loginHint(key),
        });
      }
      if (probe.kind === "rejected") {
        throw new AppError("auth_rejected", `Token rejected by ${shownAddress(choice.endpoint)}`, {
          hint: refusedHint(bearer.source, loginHint(key)),
        });
      }
      await print(choice, probe, options, context);
    },
  };
}

export const command = createWhoami();

async function print(
  choice: ServerChoice,
  probe: AuthenticationProbe & { kind: "open" | "accepted" },
  options: GlobalOptions,
  { io }: Context,
): Promise<void> {
  const url = choice.canonical;
  if (probe.kind === "open") {
    await io.out(
      options.format === "json"
        ? jsonText({ url, authenticated: false, reason: "needs no sign-in" }, io)
        : `${shownAddress(choice.endpoint)} needs no sign-in\n`,
    );
    return;
  }
  const { who, userId, organization, role, scopes, method, expiresAtMs } = probe;
  if (options.format === "json") {
    await io.out(
      jsonText(
        {
          url,
          authenticated: true,
          user: { id: userId ?? null, name: who ?? null },
          organization: organization ?? null,
          role: role ?? null,
          scopes: scopes ?? null,
          method: method ?? null,
          expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
        },
        io,
      ),
    );
    return;
  }
  const unsaid = "the server does not say";
  const told = (text: string | undefined, none: string): string =>
    text === undefined ? none : inLine(text, io);
  const isForScopesAlone = scopes !== undefined && !limitsOf(scopes).opens;
  const id = userId === undefined || userId === who ? "" : ` (${inLine(userId, io)})`;
  await io.out(
    textTable([
      ["server", url],
      ["user", told(who, `accepted; ${unsaid} as whom`) + id],
      ["organisation", told(organization, "none")],
      [
        "role",
        isForScopesAlone ? "none but for the scopes" : role === null ? "none" : told(role, unsaid),
      ],
      ["scopes", scopes === undefined ? unsaid : inLine(shownScopes(scopes), io) || "not limited"],
      ["signed in by", told(method, unsaid)],
      ["expires", expiresAtMs === undefined ? unsaid : shownTime(expiresAtMs)],
    ]),
  );
}
