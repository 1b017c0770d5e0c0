import { randomBytes, randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { isDeepStrictEqual } from "node:util";
import { createAnonymousAuthenticator } from "../../auth/anonymous-authenticator.ts";
import type { Authenticator } from "../../auth/authenticator.ts";
import type { Directory } from "../../auth/directory.ts";
import { createLocalAuthenticator } from "../../auth/local-authenticator.ts";
import type { AskAuthServer } from "../../auth/outside/ask-auth-server.ts";
import { createIntrospectionAuthenticator } from "../../auth/outside/introspection-authenticator.ts";
import { createIssuerMetadata } from "../../auth/outside/issuer-metadata.ts";
import { createJwtAuthenticator } from "../../auth/outside/jwt-authenticator.ts";
import { createSupabase } from "../../auth/outside/supabase.ts";
import { createUndiciAsk } from "../../auth/outside/undici-ask.ts";
import { createOwnUsersAuthenticator } from "../../auth/own-users-authenticator.ts";
import type { PasswordSignIn } from "../../auth/password-sign-in.ts";
import { createOwnSignIn } from "../../auth/passwords/own-sign-in.ts";
import type { SessionEvent } from "../../auth/passwords/own-sign-in.ts";
import type { PasswordHashes } from "../../auth/passwords/password-hashes.ts";
import { loggingRefusedTurns } from "../../auth/passwords/refused-turns-log.ts";
import { createSignInThrottle } from "../../auth/passwords/sign-in-throttle.ts";
import { createStaticTokenAuthenticator } from "../../auth/static-token-authenticator.ts";
import type { AuthConfiguration, IntrospectionServer, JwtRules } from "../../core/configuration.ts";
import type { Logger } from "../../core/logger.ts";
import { wayOf } from "./way-of.ts";

/** What one list of ways to sign in is made of. */
export interface SignInParts {
  authenticators: readonly Authenticator[];
  /** Who signs in with a password, slowed down where too much is tried; undefined: nobody. */
  signIn: PasswordSignIn | undefined;
}

const monotonicMs = (): number => performance.now();

/** A way to ask one auth server, and to end it. */
function asking(): { ask: AskAuthServer; close: () => Promise<void> } {
  const asked = createUndiciAsk();
  return { ask: asked.ask, close: () => asked.close() };
}

/** Makes the ways to sign in that a configuration lists. */
export interface SignInWays {
  /**
   * From one configuration to the next an entry that is as it was keeps its parts, with what they remember; those of
   * all others are ended.
   */
  take(auth: readonly AuthConfiguration[]): SignInParts;
  close(): Promise<void>;
}

interface Way {
  entry: AuthConfiguration;
  authenticator: Authenticator;
  signIn?: PasswordSignIn | undefined;
  /** Ends its connections. */
  close?: (() => Promise<void>) | undefined;
}

export function createSignInWays(options: {
  directory: Directory;
  hashes: PasswordHashes;
  reportSession: (event: SessionEvent) => void;
  logger: Logger;
}): SignInWays {
  const { directory, reportSession, logger } = options;
  const hashes = loggingRefusedTurns(options.hashes, { logger, monotonicMs });
  const throttled = createSignInThrottle(monotonicMs);
  let ways: readonly Way[] = [];
  const closings = new Set<Promise<void>>();

  const make = (entry: AuthConfiguration): Way => {
    const common = { directory, now: Date.now, logger };
    switch (entry.type) {
      case "local":
        return { entry, authenticator: createLocalAuthenticator(common) };
      case "token":
        return { entry, authenticator: createStaticTokenAuthenticator(entry.tokens, directory) };
      case "none":
        return { entry, authenticator: createAnonymousAuthenticator() };
      case "simple": {
        if (entry.users === "supabase") {
          const { ask, ...rest } = asking();
          const way = wayOf(entry);
          return { entry, ...createSupabase({ ...common, ...entry, way, ask }), ...rest };
        }
        const signIn: PasswordSignIn = createOwnSignIn({
          ...common,
          hashes,
          monotonicMs,
          newId: randomUUID,
          randomBytes,
          isOn: () => ways.some((way) => way.signIn === signIn),
          report: reportSession,
        });
        return { entry, authenticator: createOwnUsersAuthenticator(common), signIn };
      }
      case "bearer": {
        const { server, mapping } = entry;
        const { ask, ...rest } = asking();
        const parts = { ...common, mapping, ask, way: wayOf(entry) };
        const authenticator =
          server.kind === "supabase"
            ? createSupabase({ ...parts, server }).authenticator
            : createIntrospectionAuthenticator({ ...parts, server });
        return { entry, authenticator, ...rest };
      }
      case "jwt":
      case "oauth":
        return { entry, ...issuedBy(entry) };
    }
  };

  /** Tokens of an issuer, verified by its keys or by asking it. */
  const issuedBy = (
    entry: Extract<AuthConfiguration, { type: "jwt" | "oauth" }>,
  ): Omit<Way, "entry"> => {
    const { mapping } = entry;
    const check: JwtRules | IntrospectionServer = entry.type === "jwt" ? entry.rules : entry.check;
    const { ask, ...rest } = asking();
    const common = { directory, now: Date.now, way: wayOf(entry), mapping, ask, logger };
    if (check.kind === "jwt") {
      return { authenticator: createJwtAuthenticator({ ...common, rules: check }), ...rest };
    }
    const { issuer } = check;
    const metadata =
      issuer === undefined ? undefined : createIssuerMetadata({ issuer, ask, now: Date.now });
    const server = check;
    return {
      authenticator: createIntrospectionAuthenticator({ ...common, server, metadata }),
      ...rest,
    };
  };

  const end = ({ close }: Way): void => {
    const closing = close?.();
    if (closing === undefined) return;
    closings.add(closing);
    void closing.finally(() => closings.delete(closing));
  };

  return {
    take(auth) {
      const next = auth.map(
        (entry) => ways.find((way) => isDeepStrictEqual(way.entry, entry)) ?? make(entry),
      );
      for (const way of ways) if (!next.includes(way)) end(way);
      ways = next;
      const signIn = ways.find((way) => way.signIn !== undefined)?.signIn;
      return {
        authenticators: ways.map(({ authenticator }) => authenticator),
        signIn: signIn && throttled(signIn),
      };
    },
    async close() {
      for (const way of ways) end(way);
      ways = [];
      await Promise.all(closings);
    },
  };
}
