import { setTimeout as waitFor } from "node:timers/promises";
import { deviceAuthorizationRequest, deviceCodeGrantRequest } from "oauth4webapi";
import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { OAuthRefusal, nonsense, sayRefusal } from "./answer-failure.ts";
import { grantOf } from "./grant-of.ts";
import type {
  GrantedToken,
  OAuthClient,
  OAuthDependencies,
  OAuthGrant,
  SignInTarget,
} from "./oauth.ts";
import { objectOf, prepareAsking } from "./prepare-asking.ts";
import type { Asking } from "./prepare-asking.ts";
import { readToken } from "./read-token.ts";
import { checkAddress, hostOf, isSafeAddress } from "./sign-in-address.ts";

/** Seconds between two questions when the server says nothing (RFC 8628 §3.2), and by how much it slows us down. */
const defaultIntervalSeconds = 5;
/** Who asks more often is answered no sooner, whatever the server says; so the number of questions has a bound too. */
const shortestIntervalSeconds = 1;
const longestIntervalSeconds = 60;
/** A code that is good for longer is not waited for, in seconds. */
const longestWaitSeconds = 30 * 60;
/** How often in a row the server may be out of reach while the person is at it. */
const maxFailures = 3;

export interface DeviceAuthorizationBegun {
  /** For the person to type: foreign, printable, short. */
  userCode: string;
  /** https, or http on this machine. */
  verificationUri: string;
  /** The same with the code in it. */
  verificationUriComplete?: string | undefined;
  /** Milliseconds since the epoch: until when the code is good. */
  expiresAtMs: number;
  /**
   * Asks until the person has decided.
   * @throws AppError `auth_rejected` when they said no, `timeout` when the code expired, `unreachable`; what the signal
   *   aborts with
   */
  finish: () => Promise<GrantedToken>;
}

/**
 * Begins a sign-in on another device (RFC 8628), for one resource (RFC 8707).
 * @throws AppError `usage` when the server has no such sign-in, `auth_rejected`, `unreachable`, `timeout`
 */
export async function beginDeviceAuthorization(
  target: SignInTarget,
  client: OAuthClient,
  deps: OAuthDependencies,
): Promise<DeviceAuthorizationBegun> {
  const { server, resource, scope } = target;
  const { issuer, deviceAuthorizationEndpoint: url } = server;
  if (url === undefined) {
    throw new AppError("usage", `${hostOf(issuer)} offers no sign-in on another device`);
  }
  const asking = await prepareAsking(server, client, deps);
  const response = await deviceAuthorizationRequest(
    asking.metadata,
    asking.client,
    asking.authentication,
    { resource, ...(scope !== undefined && { scope }) },
    asking.options,
  );
  const begun = readDeviceAnswer(await objectOf(response, url), url, deps);
  const grant = grantOf("device_code", target, client);
  return { ...begun.shown, finish: () => untilDecided(asking, grant, begun, deps) };
}

interface DeviceAnswer {
  shown: Omit<DeviceAuthorizationBegun, "finish">;
  deviceCode: string;
  intervalSeconds: number;
}

function readDeviceAnswer(
  json: JsonObject,
  url: string,
  { learn, now }: OAuthDependencies,
): DeviceAnswer {
  const { device_code: deviceCode, user_code: userCode, verification_uri_complete: whole } = json;
  if (typeof deviceCode !== "string" || !/^[\x20-\x7e]{1,4096}$/u.test(deviceCode)) {
    throw nonsense(url, "it gives no device code");
  }
  learn(deviceCode);
  if (typeof userCode !== "string" || !/^[\x20-\x7e]{1,64}$/u.test(userCode.trim())) {
    throw nonsense(url, "it gives no code that a person could type");
  }
  // An older name, of a draft, that is still in use.
  const uri = json["verification_uri"] ?? json["verification_url"];
  if (typeof uri !== "string") throw nonsense(url, "it names no page to type the code at");
  checkAddress(uri, "page to type the code at", url);
  const complete = typeof whole === "string" && isSafeAddress(whole) ? whole : undefined;
  if (complete !== undefined) checkAddress(complete, "page to type the code at", url);
  return {
    deviceCode,
    shown: {
      userCode: userCode.trim(),
      verificationUri: uri,
      ...(complete !== undefined && { verificationUriComplete: complete }),
      expiresAtMs:
        now() + secondsIn(json["expires_in"], longestWaitSeconds, longestWaitSeconds) * 1000,
    },
    intervalSeconds: Math.max(
      shortestIntervalSeconds,
      secondsIn(json["interval"], defaultIntervalSeconds, longestIntervalSeconds),
    ),
  };
}

function secondsIn(value: unknown, otherwise: number, most: number): number {
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, most) : otherwise;
}

/** Asks, waits, and asks again (RFC 8628 §3.4, §3.5). */
async function untilDecided(
  asking: Asking,
  grant: OAuthGrant,
  { deviceCode, shown: { expiresAtMs }, intervalSeconds }: DeviceAnswer,
  deps: OAuthDependencies,
): Promise<GrantedToken> {
  const { signal, now, wait = (ms) => waitFor(ms, undefined, { signal }) } = deps;
  let interval = intervalSeconds;
  let failures = 0;
  for (;;) {
    await abortable(wait(interval * 1000, signal), signal);
    if (now() >= expiresAtMs) throw expired(grant.issuer);
    try {
      const response = await deviceCodeGrantRequest(
        asking.metadata,
        asking.client,
        asking.authentication,
        deviceCode,
        { ...asking.options, additionalParameters: { resource: grant.resource } },
      );
      return await readToken(response, grant, deps);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      const asked = error instanceof OAuthRefusal ? error.error : error.code;
      if (asked === "authorization_pending") failures = 0;
      else if (asked === "slow_down" || asked === "rate_limited")
        interval += defaultIntervalSeconds;
      else if (asked === "expired_token") throw expired(grant.issuer);
      else if (error instanceof OAuthRefusal && asked === "access_denied") {
        const message = `${hostOf(grant.issuer)} refused the sign-in: ${sayRefusal(error)}`;
        throw new OAuthRefusal(message, error, { cause: error });
      } else if ((asked === "unreachable" || asked === "timeout") && failures < maxFailures) {
        failures += 1;
        interval = Math.min(interval * 2, longestIntervalSeconds);
      } else throw error;
    }
  }
}

/** An aborted wait throws what the signal was aborted with, not an error of the timer. */
async function abortable(waiting: Promise<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await waiting;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function expired(issuer: string): AppError {
  return new AppError("timeout", `The code of ${hostOf(issuer)} was not entered in time`, {
    hint: "Sign in once more, and enter the new code",
  });
}
