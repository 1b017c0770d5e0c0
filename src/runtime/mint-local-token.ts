import { randomBytes } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { isJsonObject } from "../core/json.ts";
import type { Role } from "../core/principal.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { timeLimit } from "../core/time-limit.ts";
import { dialledAddress, isNonce, isProof, proofOf } from "./local-proof.ts";
import { createPinnedAgent, otherCertificate } from "./pinned-agent.ts";
import { postJson } from "./post-json.ts";
import type { Answer } from "./post-json.ts";
import type { RuntimeRecord } from "./runtime-record.ts";

/** A token the gateway minted for a command of its own user. */
export interface LocalToken {
  token: string;
  tokenId: string;
  /** Milliseconds since the epoch. */
  expiresAtMs: number;
  userId: string;
  role: Role;
}

/** The whole exchange; a stand-in that never answers must not hold a command. */
const exchangeLimitMs = 10_000;

/**
 * Takes a token from the running gateway of this user: the client side of `POST /auth/cli-token`.
 * The gateway proves first that it knows the secret of the runtime file, for the address dialled here and
 * a nonce made here; only then does this side prove the same. The secret itself is never sent, and to a
 * stand-in nothing is sent but a random nonce (and the purpose).
 * @param record as `readRuntimeFile` found it `running`
 * @param purpose `administration`: a token for `/api/v1/admin/*` and `/api/v1/audit` only, good for two minutes,
 *   which a running gateway gives whatever its `auth` says
 * @throws AppError `unreachable`, `timeout`, `auth_rejected` (no valid proof, or it refused ours),
 *   `rate_limited`; what `signal` was aborted with
 */
export async function mintLocalToken(
  record: RuntimeRecord,
  signal: AbortSignal,
  purpose?: "administration",
): Promise<LocalToken> {
  const { hostname, port, protocol } = new URL(record.url);
  const address = dialledAddress(hostname, port || (protocol === "https:" ? 443 : 80));
  const clientNonce = randomBytes(32).toString("base64url");
  // One connection for both steps: who has proved itself is who gets our proof.
  const agent = createAgent(record);
  const limit = timeLimit(exchangeLimitMs, signal);
  const post = (body: JsonObject): Promise<Answer> =>
    postJson(`${record.url}/auth/cli-token`, purpose === undefined ? body : { ...body, purpose }, {
      agent,
      signal: limit,
    });
  try {
    const challenge = await post({ clientNonce });
    const claims = { clientNonce, serverNonce: "", instanceId: record.instanceId, address };
    const { serverNonce, proof } = challenge.body;
    const proved =
      isNonce(serverNonce) &&
      typeof proof === "string" &&
      isProof(record.secret, { ...claims, serverNonce, role: "gateway" }, proof);
    if (!proved) {
      throw withoutProof(record.url, challenge);
    }
    const answer = await post({
      clientNonce,
      serverNonce,
      proof: proofOf(record.secret, {
        ...claims,
        serverNonce,
        role: purpose === undefined ? "client" : "administrator",
      }),
    });
    return readToken(record.url, answer);
  } catch (error) {
    throw asAppError(error, signal, record.url);
  } finally {
    agent.destroy();
  }
}

/** With https, only the certificate of the runtime file will do: before it is shown nothing is sent at all. */
function createAgent({ url, certificates = [] }: RuntimeRecord): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, maxSockets: 1 };
  return url.startsWith("https:")
    ? createPinnedAgent(options, () => Promise.resolve(certificates))
    : new HttpAgent(options);
}

function withoutProof(url: string, { status, body }: Answer): AppError {
  if (status === 429) {
    return tooMany(url, body);
  }
  return new AppError(
    "auth_rejected",
    `What answers at ${url} did not prove that it is your gateway (HTTP ${status}); nothing was sent to it`,
    { hint: "agent serve --status" },
  );
}

function readToken(url: string, { status, body }: Answer): LocalToken {
  if (status === 429) {
    throw tooMany(url, body);
  }
  if (status !== 200) {
    throw new AppError("auth_rejected", `The gateway at ${url} minted no token (HTTP ${status})`, {
      hint: "agent serve --status",
    });
  }
  const { access_token: token, token_id: tokenId, expires_in: expiresIn, role, user } = body;
  const userId = isJsonObject(user) ? user["id"] : undefined;
  if (
    typeof token !== "string" ||
    !/^od_[\w-]{43,512}$/.test(token) ||
    typeof tokenId !== "string" ||
    typeof expiresIn !== "number" ||
    !(expiresIn > 0) ||
    typeof userId !== "string" ||
    !(role === "viewer" || role === "editor" || role === "admin")
  ) {
    throw new AppError("internal", `The gateway at ${url} answered something that is no token`, {
      hint: "agent serve --restart",
    });
  }
  return { token, tokenId, expiresAtMs: Date.now() + expiresIn * 1000, userId, role };
}

function tooMany(url: string, body: JsonObject): AppError {
  const error = body["error"];
  const told = isJsonObject(error) ? error["retryAfterSeconds"] : undefined;
  const retryAfterSeconds =
    typeof told === "number" && told > 0 && told <= 3600 ? Math.ceil(told) : 60;
  return new AppError(
    "rate_limited",
    `The gateway at ${url} was asked for too many tokens; try again in ${retryAfterSeconds} s`,
    { retryAfterSeconds },
  );
}

function asAppError(error: unknown, signal: AbortSignal, url: string): unknown {
  if (error instanceof AppError) {
    return error;
  }
  const timedOut = error instanceof Error && error.name === "TimeoutError";
  if (signal.aborted && !timedOut) {
    return error;
  }
  if (timedOut) {
    return new AppError("timeout", `The gateway at ${url} did not answer in time`, {
      hint: "agent serve --status",
      cause: error,
    });
  }
  if (systemErrorCode(error) === otherCertificate) {
    return new AppError(
      "auth_rejected",
      `What answers at ${url} shows another TLS certificate than your gateway does; nothing was sent to it`,
      { hint: "agent serve --status", cause: error },
    );
  }
  return new AppError(
    "unreachable",
    `The gateway at ${url} cannot be reached (${systemErrorCode(error) ?? "unknown"})`,
    {
      hint: "agent serve --status",
      cause: error,
    },
  );
}
