import { shownAddress } from "../../../client/http-json.ts";
import { AppError } from "../../../core/errors.ts";
import type { StoreKind } from "../../../profiles/profile.ts";
import type { CommandModule, GlobalOptions, ServerOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { readOptions } from "../../read-options.ts";
import { inLine } from "../../render/foreign-text.ts";
import { jsonText } from "../../render/json-text.ts";
import { chooseServer, environmentTokenCounts } from "../../server-choice.ts";
import type { ServerChoice } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { shownTime } from "../../sign-in/profile-row.ts";
import { signIn } from "../../sign-in/sign-in.ts";
import type { SignInResult } from "../../sign-in/sign-in.ts";

interface LoginOptions {
  local: boolean;
  store?: StoreKind | undefined;
  stdinTimeout: number;
  noVerify: boolean;
}

const longestStdinSeconds = 24 * 60 * 60;
const sourceNames = { option: "--token", stdin: "stdin", local: "your own gateway" } as const;

export function createLogin(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<LoginOptions> {
  return {
    talksToServer: true,
    options: {
      local: {
        type: "boolean",
        describe: "Take a token from your own gateway on this machine; stdin is not read",
      },
      store: {
        type: "string",
        choices: ["keychain", "file"],
        describe: "Where the token is kept (default: the keychain, where there is one)",
        env: "ONEDOOR_STORE",
      },
      stdinTimeout: {
        type: "number",
        default: 60,
        placeholder: "<seconds>",
        describe: "How long to wait for a token on stdin",
      },
      noVerify: { type: "boolean", describe: "Save the token without asking the server" },
    },
    examples: [
      ["agent auth login", "with a token from your own gateway"],
      ["agent auth login --url https://gw.example.com < token.txt", "with a token from a file"],
      ["pass show gw | agent auth login -u https://gw.example.com", "with a token from a pipe"],
    ],
    async run(options, context) {
      if (options.local && options.token !== undefined) {
        throw new AppError("usage", "--local and --token are two ways; take one");
      }
      if (!(options.stdinTimeout > 0 && options.stdinTimeout <= longestStdinSeconds)) {
        throw new AppError(
          "usage",
          "--stdin-timeout must be more than 0 and at most 86400 seconds",
        );
      }
      const choice = await chooseServer({ ...options, sayServer: true }, context, dependencies);
      const result = await signIn(
        choice,
        {
          ...options,
          verify: !options.noVerify,
          stdinTimeoutMs: options.stdinTimeout * 1000,
        },
        context,
        dependencies,
      );
      await report(choice, result, options.format, context);
      await explain(choice, result, options, context, dependencies);
    },
  };
}

export const command = createLogin();

/** `agent auth login` for a server, with nothing else said on its command line. */
export async function signInAgain(
  options: GlobalOptions & ServerOptions,
  context: Context,
): Promise<void> {
  const { store, stdinTimeout } = readOptions({}, command.options, context.environment.all);
  await command.run(
    {
      ...options,
      local: false,
      store: store === "keychain" || store === "file" ? store : undefined,
      stdinTimeout: Number(stdinTimeout),
      noVerify: false,
    },
    context,
  );
}

async function report(
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
    const { name, endpoint, source, who, role, expiresAtMs } = profile;
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
          expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
        },
        io,
      ),
    );
    return;
  }
  const who = profile.who === undefined ? "" : ` as ${inLine(profile.who, io)}`;
  const role = profile.role === undefined ? "" : ` (${inLine(profile.role, io)})`;
  const did = verified ? "Signed in to" : "Saved, not verified, a token for";
  const expiry =
    profile.expiresAtMs === undefined
      ? "expiry not known"
      : `expires ${shownTime(profile.expiresAtMs)}`;
  await io.out(
    `${did} ${url}${who}${role}, from ${sourceNames[profile.source]}; saved in ${store.description}; ${expiry}\n`,
  );
}

/** Says where it went when that was nobody's choice, and when the next command will use something else. */
async function explain(
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
  if (environmentTokenCounts(choice.canonical, context)) {
    context.io.note(
      "ONEDOOR_TOKEN is set and wins over the saved profile: unset it to use what was saved now",
    );
  }
  const used = await dependencies.openProfiles(context).find(profile.url);
  if (used && used.name !== profile.name) {
    context.io.note(
      `Commands without --profile still use ${used.name} for ${profile.url}; agent auth switch ${profile.name} --url ${profile.url} changes that`,
    );
  }
}
