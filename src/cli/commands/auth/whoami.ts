import { shownAddress } from "../../../client/http-json.ts";
import type {
  AcceptedIdentity,
  AuthenticationProbe,
} from "../../../client/probe-authentication.ts";
import { AppError } from "../../../core/errors.ts";
import { limitsOf } from "../../../core/scopes.ts";
import { shownScopes } from "../../administration/token-scopes.ts";
import type { Profile } from "../../../profiles/profile.ts";
import type { CommandModule, GlobalOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { inLine } from "../../render/foreign-text.ts";
import { jsonText } from "../../render/json-text.ts";
import { textTable } from "../../render/text-table.ts";
import { bearerFor, chooseServer, environmentTokenCounts } from "../../server-choice.ts";
import { loginHint, refusedHint } from "../../login-hint.ts";
import { renewRefused } from "../../profile-bearer.ts";
import type { Bearer } from "../../profile-bearer.ts";
import type { ServerChoice } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { shownTime } from "../../render/shown-time.ts";

export function createWhoami(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<object> {
  return {
    talksToServer: true,
    options: {},
    examples: [["agent auth whoami", "who the running gateway says you are"]],
    /**
     * With `--json`: `{url, authenticated, user: {id, name}, organization, role, scopes, method, expiresAt, source}`,
     * null where nobody says. `source` is `server`, or `stored` where the server does not say who the token is or cannot
     * be reached: then what the profile keeps is shown. A server that took the token makes that exit code 0; one that
     * could not be asked is still a failure (3), with `authenticated` null, because nothing of it was proved.
     */
    async run(options, context) {
      const choice = await chooseServer(options, context, dependencies);
      const isElsewhere =
        options.token !== undefined || environmentTokenCounts(choice.canonical, context);
      const own = isElsewhere ? undefined : choice.profile;
      let answer: Answer;
      try {
        const bearer = await bearerFor(choice, options, context, dependencies);
        answer = await askWithRenewal(choice, bearer, context, dependencies);
      } catch (error) {
        const isAway =
          error instanceof AppError && (error.code === "unreachable" || error.code === "timeout");
        if (isAway && own) await print(choice, stored(own, undefined), options, context);
        throw error;
      }
      const { bearer, probe } = answer;
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
      const isSaid = probe.kind === "open" || probe.who !== undefined;
      const shown: Shown =
        isSaid || bearer.profile === undefined
          ? { ...probe, source: "server" }
          : stored(bearer.profile, probe);
      await print(choice, shown, options, context);
    },
  };
}

interface Answer {
  bearer: Bearer;
  probe: AuthenticationProbe;
}

/** A token that is refused before its time is renewed, as for any request. */
async function askWithRenewal(
  choice: ServerChoice,
  bearer: Bearer,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Answer> {
  const ask = async (shown: Bearer): Promise<Answer> => ({
    bearer: shown,
    probe: await dependencies.probeAuthentication(
      choice.endpoint,
      shown.token,
      context.deadline.signal,
      choice.server === "unknown" ? undefined : choice.server,
    ),
  });
  const first = await ask(bearer);
  const other =
    first.probe.kind === "rejected" && (await renewRefused(bearer, context, dependencies));
  return other ? ask(other) : first;
}

/** Who somebody is, and who says so. */
type Shown =
  | { kind: "open"; source: "server" }
  | ({ kind: "accepted" | "unproved"; source: "server" | "stored" } & AcceptedIdentity);

/** What a profile keeps of what was said when it was made. @param taken the server's own answer, where there is one */
function stored(
  { who, role, scope, expiresAtMs }: Profile,
  taken: AcceptedIdentity | undefined,
): Shown {
  return {
    kind: taken === undefined ? "unproved" : "accepted",
    source: "stored",
    ...taken,
    who,
    role,
    scopes: scope?.split(" "),
    expiresAtMs: taken?.expiresAtMs ?? expiresAtMs,
  };
}

export const command = createWhoami();

async function print(
  choice: ServerChoice,
  shown: Shown,
  options: GlobalOptions,
  { io }: Context,
): Promise<void> {
  const url = choice.canonical;
  if (shown.kind === "open") {
    await io.out(
      options.format === "json"
        ? jsonText({ url, authenticated: false, reason: "needs no sign-in" }, io)
        : `${shownAddress(choice.endpoint)} needs no sign-in\n`,
    );
    return;
  }
  const { who, userId, organization, role, scopes, method, expiresAtMs, source } = shown;
  if (options.format === "json") {
    await io.out(
      jsonText(
        {
          url,
          authenticated: shown.kind === "accepted" ? true : null,
          user: { id: userId ?? null, name: who ?? null },
          organization: organization ?? null,
          role: role ?? null,
          scopes: scopes ?? null,
          method: method ?? null,
          expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
          source,
        },
        io,
      ),
    );
    return;
  }
  const unsaid = source === "server" ? "the server does not say" : "nobody says";
  const told = (text: string | undefined, none: string): string =>
    text === undefined ? none : inLine(text, io);
  const isForScopesAlone = scopes !== undefined && !limitsOf(scopes).opens;
  const id = userId === undefined || userId === who ? "" : ` (${inLine(userId, io)})`;
  await io.out(
    textTable([
      ["server", url],
      ["user", told(who, shown.kind === "accepted" ? `accepted; ${unsaid} as whom` : unsaid) + id],
      ["organisation", told(organization, "none")],
      [
        "role",
        isForScopesAlone ? "none but for the scopes" : role === null ? "none" : told(role, unsaid),
      ],
      ["scopes", scopes === undefined ? unsaid : inLine(shownScopes(scopes), io) || "not limited"],
      ["signed in by", told(method, unsaid)],
      ["expires", expiresAtMs === undefined ? unsaid : shownTime(expiresAtMs)],
      ...(source === "stored" ? [["from", sourceNote(shown)]] : []),
    ]),
  );
}

function sourceNote({ kind }: Shown): string {
  return kind === "accepted"
    ? "what is stored; the server took the token and does not say whose it is"
    : "what is stored; the server could not be asked";
}
