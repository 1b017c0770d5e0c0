import { shownAddress } from "../../client/http-json.ts";
import type { OfferedWay } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import type { ProfileSource } from "../../profiles/profile.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { Context } from "../context.ts";
import { cleanToken } from "./clean-token.ts";
import type { AuthDependencies } from "./dependencies.ts";
import { isPiped, readTokenLine } from "./read-token-line.ts";
import { stepsOf } from "./steps-of.ts";

/** A token that was found, not yet proved. */
export interface FoundToken {
  token: string;
  source: ProfileSource;
  /** Of a minted local token. */
  minted?: {
    tokenId: string;
    expiresAtMs: number;
    role: string;
    userId: string;
    by: RuntimeRecord;
  };
}

export interface TokenSourceOptions {
  token?: string | undefined;
  local: boolean;
  stdinTimeoutMs: number;
}

/**
 * Finds the token of a sign-in (contract §2 "Which token"): `--token`, then stdin where it is a pipe, a file
 * or a socket, then one that the gateway of this user mints. `--local` goes to the last at once. Waiting for
 * stdin is outside the deadline.
 * @param target.url for messages
 * @param target.runtime set when the server is the running gateway of this user
 * @param target.ways what the server offers; undefined when it was not asked
 * @throws AppError `usage` when no way leads to a token, or the token is malformed; what minting throws
 */
export async function findToken(
  options: TokenSourceOptions,
  target: {
    url: string;
    runtime: RuntimeRecord | undefined;
    ways: readonly OfferedWay[] | undefined;
  },
  context: Context,
  dependencies: AuthDependencies,
): Promise<FoundToken> {
  const { io, deadline } = context;
  const url = shownAddress(target.url);
  const mint = async (by: RuntimeRecord): Promise<FoundToken> => {
    const { token, ...minted } = await dependencies.mintLocalToken(by, deadline.signal);
    context.secrets.add(token);
    return { token, source: "local", minted: { ...minted, by } };
  };

  const mintable = target.ways?.some((way) => way.type === "local") ?? true;
  if (options.local && mintable) {
    if (target.runtime) return mint(target.runtime);
    throw new AppError("unreachable", `No gateway of yours runs at ${url}`, {
      hint: "agent serve --background",
    });
  }
  if (options.local) {
    throw new AppError("usage", `The gateway at ${url} mints no local tokens`, {
      hint: stepsOf(target.ways, { url: target.url, own: target.runtime !== undefined }),
    });
  }
  if (options.token !== undefined) {
    const token = cleanToken(options.token, "--token");
    context.secrets.add(token);
    io.note("A token on the command line can be seen by others with ps; a pipe hides it");
    return { token, source: "option" };
  }
  if (isPiped(io.stdin)) {
    const line = await deadline.outside(() =>
      readTokenLine(io.stdin, {
        limitMs: options.stdinTimeoutMs,
        onWait: () =>
          io.note(
            "Waiting for a token on stdin (--local takes one from your own gateway; </dev/null reads none)",
          ),
        signal: context.signal,
      }),
    );
    if (line !== undefined) {
      const token = cleanToken(line, "stdin");
      context.secrets.add(token);
      return { token, source: "stdin" };
    }
    io.note("stdin was empty: did the command before the pipe fail?");
  }
  if (target.runtime && mintable) return mint(target.runtime);
  throw new AppError("usage", `No token for ${url}`, {
    hint: stepsOf(target.ways, { url: target.url, own: target.runtime !== undefined }),
  });
}
