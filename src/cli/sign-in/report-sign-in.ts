import { shownAddress } from "../../client/http-json.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { inLine } from "../render/foreign-text.ts";
import { jsonText } from "../render/json-text.ts";
import { renews } from "../renew-profile.ts";
import type { ServerChoice } from "../server-choice.ts";
import type { AuthDependencies } from "./dependencies.ts";
import { isoTime, shownTime } from "../render/shown-time.ts";
import { noteEnvironmentToken } from "../token-from-elsewhere.ts";
import type { SignInResult } from "./sign-in.ts";

const sourceNames = {
  option: "--token",
  stdin: "stdin",
  local: "your own gateway",
  web: "the browser",
  device: "a device code",
  client: "client credentials",
  password: "email and password",
} as const;

/** The result of `agent auth login` on stdout. */
export async function reportSignIn(
  choice: ServerChoice,
  result: SignInResult,
  format: GlobalOptions["format"],
  { io }: Context,
): Promise<void> {
  const url = shownAddress(choice.given);
  if (result.kind === "not-needed") {
    await io.out(
      format === "json"
        ? jsonText({ url: choice.canonical, saved: false, reason: "needs no sign-in" }, io)
        : `${url} needs no sign-in; nothing was saved\n`,
    );
    return;
  }
  const { profile, store, keychainAbsence, verified } = result;
  if (format === "json") {
    const { name, endpoint, source, who, role, expiresAtMs, issuer, scope } = profile;
    await io.out(
      jsonText(
        {
          url: profile.url,
          name,
          endpoint,
          saved: true,
          verified,
          who: who ?? null,
          role: role ?? null,
          source,
          store: store.kind,
          storeReason:
            keychainAbsence === undefined ? null : `No keychain here (${keychainAbsence})`,
          expiresAt: isoTime(expiresAtMs),
          renews: renews(profile),
          issuer: issuer ?? null,
          scope: scope ?? null,
        },
        io,
      ),
    );
    return;
  }
  const who = profile.who === undefined ? "" : ` as ${inLine(profile.who, io)}`;
  const role = profile.role === undefined ? "" : ` (${inLine(profile.role, io)})`;
  const did = verified ? "Signed in to" : "Saved, not verified, a token for";
  const expires =
    profile.expiresAtMs === undefined
      ? "expiry not known"
      : `expires ${shownTime(profile.expiresAtMs)}`;
  const expiry = renews(profile) ? `${expires}, renewed by itself` : expires;
  await io.out(
    `${did} ${url}${who}${role}, from ${sourceNames[profile.source]}; saved in ${store.description}; ${expiry}\n`,
  );
}

/** Says where it went when that was nobody's choice, and when the next command will use something else. */
export async function explainSignIn(
  choice: ServerChoice,
  result: SignInResult,
  { json }: Pick<GlobalOptions, "json">,
  context: Context,
  dependencies: AuthDependencies,
): Promise<void> {
  if (result.kind !== "saved") return;
  const { profile, store, keychainAbsence } = result;
  // With --json the answer itself says it.
  if (keychainAbsence !== undefined && !json) {
    context.io.note(
      `No keychain here (${keychainAbsence}): the token is in a file that only you can read, below ${store.description}`,
      { always: true },
    );
  }
  noteEnvironmentToken(choice.canonical, context, ": unset it to use what was saved now");
  const used = await dependencies.openProfiles(context).find(profile.url);
  if (used && used.name !== profile.name) {
    context.io.note(
      `Commands without --profile still use ${used.name} for ${profile.url}; agent auth switch ${quoteForShell(profile.name)} --url ${quoteForShell(profile.url)} changes that`,
    );
  }
}
