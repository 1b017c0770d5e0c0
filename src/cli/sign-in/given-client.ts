import { AppError } from "../../core/errors.ts";
import { isScopeToken } from "../../core/scope-token.ts";
import type { OAuthClient } from "../../oauth/oauth.ts";
import type { Context } from "../context.ts";
import { hasPerson } from "../has-person.ts";
import { readSmallFile } from "../read-small-file.ts";
import { loginHelp } from "./chosen-way.ts";
import type { ChosenWay } from "./chosen-way.ts";
import { pipedLine } from "./read-secret-line.ts";

/** What the command line says of the OAuth client. */
export interface ClientOptions {
  clientId?: string | undefined;
  clientSecretFile?: string | undefined;
  clientKey?: string | undefined;
}

/** A file with a client's secret holds one line. */
const maxSecretBytes = 64 * 1024;

/** @throws AppError `usage`: options that say nothing without another one, or for another way */
export function checkClientOptions(
  options: ClientOptions & {
    callbackPort?: number | undefined;
    scope?: string | undefined;
    issuer?: string | undefined;
  },
  way: ChosenWay,
): void {
  const { clientId, clientSecretFile, clientKey, callbackPort, scope, issuer } = options;
  const forOAuth = way === "any" || way === "web" || way === "device" || way === "client";
  const named = [
    ["--client-id", clientId],
    ["--client-secret-file", clientSecretFile],
    ["--client-key", clientKey],
    ["--scope", scope],
    ["--issuer", issuer],
  ] as const;
  const stray = named.find(([, value]) => value !== undefined);
  if (!forOAuth && stray !== undefined) {
    throw new AppError("usage", `${stray[0]} is for --web, --device and --client-credentials`, {
      hint: loginHelp,
    });
  }
  if (callbackPort !== undefined) {
    if (way !== "any" && way !== "web") {
      throw new AppError("usage", "--callback-port is for --web", { hint: loginHelp });
    }
    if (!Number.isInteger(callbackPort) || callbackPort < 1 || callbackPort > 65_535) {
      throw new AppError("usage", "--callback-port must be a port: 1 to 65535", {
        hint: loginHelp,
      });
    }
  }
  if (clientId === undefined) {
    const orphan =
      clientSecretFile === undefined ? clientKey && "--client-key" : "--client-secret-file";
    if (orphan !== undefined)
      throw new AppError("usage", `${orphan} goes with --client-id <id>`, { hint: loginHelp });
    if (way === "client") {
      throw new AppError("usage", "--client-credentials needs --client-id <id>", {
        hint: "The id is given by whoever runs the authorization server",
      });
    }
  }
  if (clientSecretFile !== undefined && clientKey !== undefined) {
    throw new AppError("usage", "--client-secret-file and --client-key are two ways; take one", {
      hint: loginHelp,
    });
  }
  if (scope?.split(" ").every(isScopeToken) === false) {
    throw new AppError("usage", "--scope takes scopes with one space between them", {
      hint: loginHelp,
    });
  }
}

/**
 * The client of `--client-id`. Its secret comes from a file; for client credentials without one from the first line of
 * stdin, or, on a terminal, from the person: never from the command line, which others can read.
 * @returns undefined where no client was given
 * @throws AppError `usage`
 */
export async function givenClient(
  options: ClientOptions & { stdinTimeoutMs: number },
  way: ChosenWay,
  context: Context,
): Promise<OAuthClient | undefined> {
  const { clientId: id, clientSecretFile, clientKey: keyFile } = options;
  if (id === undefined) return undefined;
  if (keyFile !== undefined) return { id, authentication: "private_key_jwt", keyFile };
  if (clientSecretFile !== undefined) {
    const text = await readSmallFile(clientSecretFile, maxSecretBytes, "client secret");
    return withSecret(id, text, clientSecretFile, context);
  }
  if (way !== "client") return { id, authentication: "none" };
  return withSecret(id, await askedSecret(options.stdinTimeoutMs, context), "stdin", context);
}

/**
 * A client that shows itself by a secret.
 * @param from where that came from, for the message
 * @throws AppError `usage`: it is none
 */
export function withSecret(id: string, text: string, from: string, context: Context): OAuthClient {
  const secret = text.trim();
  if (secret === "" || /\p{Cc}/u.test(secret)) {
    throw new AppError("usage", `The client secret from ${from} is empty or of several lines`, {
      hint: "Give the secret alone, on one line",
    });
  }
  context.secrets.add(secret);
  return { id, authentication: "client_secret_basic", secret };
}

async function askedSecret(limitMs: number, context: Context): Promise<string> {
  const line = await pipedLine("client secret", limitMs, context);
  if (line !== undefined) return line;
  if (hasPerson(context)) {
    const { withHiddenInput } = await import("../hidden-input.ts");
    const typed = await withHiddenInput(context, (ask) => ask("Client secret:"));
    if (typed !== undefined) return typed;
  }
  throw new AppError("usage", "There is no client secret", {
    hint: "Put it on stdin, or name --client-secret-file <file> or --client-key <file>",
  });
}
