import { AppError } from "../../../core/errors.ts";
import type { StoreKind } from "../../../profiles/profile.ts";
import type { CommandModule, GlobalOptions, ServerOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { readOptions } from "../../read-options.ts";
import { chooseServer } from "../../server-choice.ts";
import { loginHelp } from "../../sign-in/chosen-way.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { explainSignIn, reportSignIn } from "../../sign-in/report-sign-in.ts";
import { signIn } from "../../sign-in/sign-in.ts";
import type { SignInOptions } from "../../sign-in/sign-in.ts";

interface LoginOptions {
  local: boolean;
  web: boolean;
  device: boolean;
  email?: string | undefined;
  organization?: string | undefined;
  clientCredentials: boolean;
  clientId?: string | undefined;
  clientSecretFile?: string | undefined;
  clientKey?: string | undefined;
  scope?: string | undefined;
  issuer?: string | undefined;
  callbackPort?: number | undefined;
  store?: StoreKind | undefined;
  stdinTimeout: number;
  noVerify: boolean;
}

const longestStdinSeconds = 24 * 60 * 60;

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
      web: {
        type: "boolean",
        describe: "Sign in in the browser (OAuth 2.1 with PKCE); stdin is not read",
      },
      device: {
        type: "boolean",
        describe: "Sign in in a browser on any device, with a code that is shown here (RFC 8628)",
      },
      email: {
        type: "string",
        placeholder: "<address>",
        describe: "Sign in with email and password: asked for, or the first line of stdin",
      },
      organization: {
        type: "string",
        placeholder: "<id>",
        describe: "With email and password, for members of several: the one to act in",
      },
      clientCredentials: {
        type: "boolean",
        describe: "Sign in as a program, with --client-id and its secret (stdin) or its key",
      },
      clientId: {
        type: "string",
        placeholder: "<id>",
        describe: "OAuth client that is registered already, or the https URL of its metadata",
      },
      clientSecretFile: {
        type: "string",
        placeholder: "<file>",
        describe: "Where the secret of that client is",
      },
      clientKey: {
        type: "string",
        placeholder: "<file>",
        describe: "The private key of that client (PEM or JWK), in place of a secret",
      },
      scope: {
        type: "string",
        placeholder: "<scopes>",
        describe: "OAuth scopes to ask for (default: what the server names)",
      },
      issuer: {
        type: "string",
        placeholder: "<url>",
        describe: "The authorization server that may be used, to the letter (default: any)",
      },
      callbackPort: {
        type: "number",
        placeholder: "<port>",
        describe: "Port on 127.0.0.1 to which the browser comes back (default: a free one)",
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
        describe: "How long to wait for what is to come on stdin",
      },
      noVerify: { type: "boolean", describe: "Save the token without asking the server" },
    },
    examples: [
      ["agent auth login", "with a token from your own gateway"],
      ["agent auth login --url https://mcp.example.com --web", "in the browser"],
      ["agent auth login --url https://gw.example.com < token.txt", "with a token from a file"],
      ["pass show gw | agent auth login -u https://gw.example.com", "with a token from a pipe"],
      ["agent auth login -u https://gw.example.com --email ann@example.com", "asks the password"],
      ["agent auth login -u https://mcp.example.com --device", "without a browser on this machine"],
      ["agent auth login -u https://gw.example.com --web --profile work", "beside another profile"],
      ["agent auth login --local --profile own", "from your own gateway; stdin is not read"],
      [
        'printf %s "$SECRET" | agent auth login -u https://gw.example.com --client-credentials --client-id ci',
        "as a program",
      ],
    ],
    run: (options, context) => logIn(options, { ask: true }, context, dependencies),
  };
}

export const command = createLogin();

async function logIn(
  options: LoginOptions & GlobalOptions & ServerOptions,
  { ask }: Pick<SignInOptions, "ask">,
  context: Context,
  dependencies: AuthDependencies,
): Promise<void> {
  if (!(options.stdinTimeout > 0 && options.stdinTimeout <= longestStdinSeconds)) {
    throw new AppError("usage", "--stdin-timeout must be more than 0 and at most 86400 seconds", {
      hint: loginHelp,
    });
  }
  const choice = await chooseServer({ ...options, sayServer: true }, context, dependencies);
  const result = await signIn(
    choice,
    {
      ...options,
      verify: !options.noVerify,
      stdinTimeoutMs: options.stdinTimeout * 1000,
      ask,
    },
    context,
    dependencies,
  );
  await reportSignIn(choice, result, options.format, context);
  await explainSignIn(choice, result, options, context, dependencies);
}

/**
 * `agent auth login` for a server that the person was asked about and wants to sign in to, with nothing else said on its
 * command line but what `more` says.
 */
export async function signInAgain(
  options: GlobalOptions & ServerOptions,
  context: Context,
  more: Pick<Partial<LoginOptions>, "web" | "device" | "scope" | "issuer"> = {},
  dependencies: AuthDependencies = authDependencies,
): Promise<void> {
  const { store, stdinTimeout } = readOptions({}, command.options, context.environment.all);
  await logIn(
    {
      ...options,
      local: false,
      web: false,
      device: false,
      clientCredentials: false,
      store: store === "keychain" || store === "file" ? store : undefined,
      stdinTimeout: Number(stdinTimeout),
      noVerify: false,
      ...more,
    },
    { ask: false },
    context,
    dependencies,
  );
}
