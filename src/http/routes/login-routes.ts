import type { FastifyInstance, FastifyRequest } from "fastify";
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { performance } from "node:perf_hooks";
import type { PasswordSignIn, SignedIn } from "../../auth/password-sign-in.ts";
import { noPasswordSignIn, RefusedSignIn } from "../../auth/passwords/refused-sign-in.ts";
import type { AuditSink } from "../../core/audit.ts";
import type { Configuration } from "../../core/configuration.ts";
import type { Logger } from "../../core/logger.ts";
import { AppError } from "../../core/errors.ts";
import { escapeForTerminal, oneLine } from "../../core/terminal-text.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { selfDescription } from "../authenticate-request.ts";
import { clientAddress, isForwardedByStranger } from "../client-address.ts";
import { isRefresh, readLogin } from "../read-login.ts";

export interface LoginRoutesOptions {
  gateway: Pick<Gateway, "recordRefusal">;
  /** Who signs in with passwords now, throttled; undefined: nobody does. It may be another after a reload. */
  signIn: () => PasswordSignIn | undefined;
  audit: Pick<AuditSink, "append">;
  configuration: Pick<Configuration, "trustedProxies">;
  logger: Pick<Logger, "warn">;
}

/** The name under which sign-ins stand in the audit. */
const auditName = "auth/login";
/** In bytes: JSON may write a password six times as long as it is. */
const bodyLimit = 16 * 1024;

/** Sign-in with a password, and the refreshing of what that gave. Each is one row of the audit, whatever comes of it. */
export function addLoginRoutes(app: FastifyInstance, options: LoginRoutesOptions): void {
  const { gateway, audit, configuration, logger } = options;
  /** Who was refused, where that is known. */
  const refused = new WeakMap<FastifyRequest, { userId: string; organizationId: null }>();

  const signIn = (): PasswordSignIn => {
    const now = options.signIn();
    if (now !== undefined) return now;
    throw noPasswordSignIn();
  };
  let isProxyNamed = false;
  /** Says once that everybody behind a proxy has the proxy's address, so that one who guesses slows down all. */
  const nameProxy = (request: IncomingMessage): void => {
    if (isProxyNamed || !isForwardedByStranger(request, configuration.trustedProxies)) return;
    isProxyNamed = true;
    logger.warn(
      "A sign-in says for whom it was forwarded, which is not believed: all that come so count as one address. " +
        "If the peer is your proxy, name it in trustedProxies",
      { peer: request.socket.remoteAddress ?? null },
    );
  };
  const signedInBy = ({ raw, body }: FastifyRequest): Promise<SignedIn> => {
    nameProxy(raw);
    const client = { address: clientAddress(raw, configuration.trustedProxies) };
    const now = signIn();
    const given = readLogin(body);
    if (given.grant === "refresh_token") return now.refresh(given.refreshToken, client);
    const { email, password, organization: organizationId } = given;
    return now.login({ email, password, organizationId }, client);
  };
  const recordSuccess = (
    { raw, body }: FastifyRequest,
    { userId, organizationId }: SignedIn["principal"],
    startedMs: number,
  ): void => {
    const durationMs = Math.max(0, Math.round(performance.now() - startedMs));
    audit.append({
      id: randomUUID(),
      timeMs: Date.now() - durationMs,
      toolName: auditName,
      params: { grant: isRefresh(body) ? "refresh_token" : "password" },
      status: "success",
      durationMs,
      userId,
      organizationId,
      ...selfDescription(raw),
    });
  };

  const login = async (request: FastifyRequest): Promise<object> => {
    const startedMs = performance.now();
    try {
      const signedIn = await signedInBy(request);
      const { principal, accessToken, expiresInSeconds, refreshToken } = signedIn;
      recordSuccess(request, principal, startedMs);
      return {
        access_token: accessToken,
        token_type: "bearer",
        expires_in: expiresInSeconds,
        ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
        message: `Signed in as ${escapeForTerminal(oneLine(principal.displayName, 200))}`,
      };
    } catch (error) {
      if (error instanceof RefusedSignIn && error.userId !== null) {
        refused.set(request, { userId: error.userId, organizationId: null });
      }
      throw error;
    }
  };

  app.route({
    method: "POST",
    url: "/auth/login",
    config: { access: "public" },
    bodyLimit,
    async onRequest({ raw: { headers } }) {
      // With an Origin the guard has judged it: a page that may is one that is named in the configuration.
      if (headers["sec-fetch-site"] === "cross-site" && headers.origin === undefined) {
        throw new AppError("forbidden", "A sign-in is not taken from another site's page");
      }
    },
    // Whatever refused it, the guard and the reading of the body too, the answer goes through here.
    async onSend(request, { statusCode }) {
      if (statusCode < 400) return;
      gateway.recordRefusal(auditName, {
        ...selfDescription(request.raw),
        principal: refused.get(request),
      });
    },
    handler: login,
  });
}
