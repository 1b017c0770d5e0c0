import { AppError } from "../../core/errors.ts";
import type { OAuthClient } from "../../oauth/oauth.ts";
import { readSmallFile } from "../read-small-file.ts";
import type { Context } from "../context.ts";
import type { ChosenWay } from "./chosen-way.ts";
import { isPiped, readTokenLine } from "./read-token-line.ts";

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
  options: ClientOptions & { callbackPort?: number | undefined; scope?: string | undefined },
  way: ChosenWay,
): void {
  const { clientId, clientSecretFile, clientKey, callbackPort, scope } = options;
  const forOAuth = way === "any" || way === "web" || way === "device" || way === "client";
  const named = [
    ["--client-id", clientId],
    ["--client-secret-file", clientSecretFile],
    ["--client-key", clientKey],
    ["--scope", scope],
  ] as const;
  const stray = named.find(([, value]) => value !== undefined);
  if (!forOAuth && stray !== undefined) {
    throw new AppError("usage", `${stray[0]} is for --web, --device and --client-credentials`);
  }
  if (callbackPort !== undefined) {
    if (way !== "any" && way !== "web") {
      throw new AppError("usage", "--callback-port is for --web");
    }
    if (!Number.isInteger(callbackPort) || callbackPort < 1 || callbackPort > 65_535) {
      throw new AppError("usage", "--callback-port must be a port: 1 to 65535");
    }
  }
  if (clientId === undefined) {
    const orphan =
      clientSecretFile === undefined ? clientKey && "--client-key" : "--client-secret-file";
    if (orphan !== undefined) throw new AppError("usage", `${orphan} goes with --client-id <id>`);
    if (way === "client") {
      throw new AppError("usage", "--client-credentials needs --client-id <id>", {
        hint: "The id is given by whoever runs the authorization server",
      });
    }
  }
  if (clientSecretFile !== undefined && clientKey !== undefined) {
    throw new AppError("usage", "--client-secret-file and --client-key are two ways; take one");
  }
  if (
    scope !== undefined &&
    !/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/u.test(scope)
  ) {
    throw new AppError("usage", "--scope takes scopes with one space between them");
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

function withSecret(id: string, text: string, from: string, context: Context): OAuthClient {
  const secret = text.trim();
  if (secret === "" || /\p{Cc}/u.test(secret)) {
    throw new AppError("usage", `The client secret from ${from} is empty or of several lines`);
  }
  context.secrets.add(secret);
  return { id, authentication: "client_secret_basic", secret };
}

async function askedSecret(limitMs: number, context: Context): Promise<string> {
  const { io, deadline, signal } = context;
  if (isPiped(io.stdin)) {
    const line = await deadline.outside(() =>
      readTokenLine(io.stdin, {
        limitMs,
        onWait: () => io.note("Waiting for the client secret on stdin"),
        signal,
        what: "client secret",
      }),
    );
    if (line !== undefined) return line;
    io.note("stdin was empty: did the command before the pipe fail?");
  } else if (io.stdinIsTerminal && io.stderrIsTerminal) {
    const { withHiddenInput } = await import("../hidden-input.ts");
    const typed = await withHiddenInput(context, (ask) => ask("Client secret:"));
    if (typed !== undefined) return typed;
  }
  throw new AppError("usage", "There is no client secret", {
    hint: "Put it on stdin, or name --client-secret-file <file> or --client-key <file>",
  });
}
