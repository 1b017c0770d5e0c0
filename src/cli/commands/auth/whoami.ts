import { shownAddress } from "../../../client/http-json.ts";
import type { AcceptedIdentity } from "../../../client/probe-authentication.ts";
import { AppError } from "../../../core/errors.ts";
import { limitsOf } from "../../../core/scopes.ts";
import { shownScopes } from "../../administration/token-scopes.ts";
import type { Profile } from "../../../profiles/profile.ts";
import type { CommandModule, GlobalOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { inLine } from "../../render/foreign-text.ts";
import { jsonText } from "../../render/json-text.ts";
import { textTable } from "../../render/text-table.ts";
import { bearerFor, chooseServer } from "../../server-choice.ts";
import { loginHint, refusedHint } from "../../login-hint.ts";
import { notSignedIn } from "../../not-signed-in.ts";
import type { ServerChoice } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { probeWithRenewal } from "../../sign-in/probe-with-renewal.ts";
import type { ProbedBearer } from "../../sign-in/probe-with-renewal.ts";
import { tokenFromElsewhere } from "../../token-from-elsewhere.ts";
import { isoTime, shownTime } from "../../render/shown-time.ts";

export function createWhoami(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<object> {
  return {
    talksToServer: true,
    options: {},
    examples: [
      ["agent auth whoami", "who the running gateway says you are"],
      ["agent auth whoami --url https://gw.example.com --profile work", "as another profile"],
    ],
    /**
     * A server that took the token makes the exit code 0, whoever says whose it is; one that could not be asked is still
     * a failure (3), because nothing of what is shown was proved.
     */
    async run(options, context) {
      const choice = await chooseServer(options, context, dependencies);
      const isElsewhere = tokenFromElsewhere(choice.canonical, options, context) !== undefined;
      const own = isElsewhere ? undefined : choice.profile;
      let answer: ProbedBearer;
      try {
        const bearer = await bearerFor(choice, options, context, dependencies);
        answer = await probeWithRenewal(choice, bearer, context, dependencies);
      } catch (error) {
        const isAway =
          error instanceof AppError && (error.code === "unreachable" || error.code === "timeout");
        if (isAway && own) await print(choice, stored(own, undefined), options, context);
        throw error;
      }
      const { bearer, probe } = answer;
      const key = { url: choice.given, name: bearer.profile?.name };
      if (probe.kind === "required") {
        throw notSignedIn(choice.canonical, loginHint(key, options), context);
      }
      if (probe.kind === "rejected") {
        throw new AppError("auth_rejected", `Token rejected by ${shownAddress(choice.endpoint)}`, {
          hint: refusedHint(bearer.source, loginHint(key, options), choice),
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
          expiresAt: isoTime(expiresAtMs),
          source,
        },
        io,
      ),
    );
    return;
  }
  // Another server's scopes say nothing of a gateway's roles.
  const isForScopesAlone = source === "server" && scopes !== undefined && !limitsOf(scopes).opens;
  const told = (text: string | undefined): string | undefined => text && inLine(text, io);
  const id = userId === undefined || userId === who ? "" : ` (${inLine(userId, io)})`;
  const rows: readonly [string, string | undefined][] = [
    ["server", url],
    ["user", (told(who) ?? "not said by the server") + id],
    ["organisation", told(organization) ?? (source === "server" && who ? "none" : undefined)],
    ["role", isForScopesAlone ? "none but for the scopes" : role === null ? "none" : told(role)],
    ["scopes", scopes && (inLine(shownScopes(scopes), io) || "not limited")],
    ["signed in by", told(method)],
    ["expires", expiresAtMs === undefined ? undefined : shownTime(expiresAtMs)],
    ["token", source === "server" && who !== undefined ? undefined : tokenNote(shown)],
  ];
  // What nobody says is left out.
  await io.out(
    textTable(rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text]]))),
  );
}

/** What is known of the token itself, where its server does not say whose it is. */
function tokenNote({ kind, source, scopes, expiresAtMs }: Shown & AcceptedIdentity): string {
  if (kind !== "accepted") return "not tested; the rest is what was stored";
  const kept = [scopes && "scopes", expiresAtMs !== undefined && "expiry"].filter(Boolean);
  if (source !== "stored" || kept.length === 0) return "accepted";
  const [one = "", other] = kept;
  return other === undefined
    ? `accepted; its ${one} is what was stored`
    : `accepted; ${one} and ${other} are those that were stored`;
}
