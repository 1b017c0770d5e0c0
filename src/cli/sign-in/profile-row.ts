import type { AuthenticationProbe } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { CanonicalUrl } from "../../core/url.ts";
import { addressOf } from "../../profiles/profile.ts";
import type { Profile, StoreKind } from "../../profiles/profile.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { Bearer } from "../bearer.ts";
import type { Context } from "../context.ts";
import { expiryWarning } from "../expiry-warning.ts";
import { profileBearer } from "../profile-bearer.ts";
import { renews } from "../renew-profile.ts";
import { isMinter } from "../running-gateway.ts";
import { maskToken } from "./clean-token.ts";
import type { AuthDependencies } from "./dependencies.ts";
import { probeWithRenewal } from "./probe-with-renewal.ts";

/** What became of a profile when it was tested. */
export type ProfileResult =
  | "ok"
  | "needs no sign-in"
  | "rejected"
  | "expired"
  | "missing"
  | "unreachable"
  | "store unavailable"
  | "rate limited"
  | "failed";

/** One profile as `agent auth status` shows it. */
export interface ProfileRow {
  url: CanonicalUrl;
  /** Absent where there is no profile, and no name was given. */
  name?: string | undefined;
  endpoint: string;
  /** The saved one, whatever token was tested. */
  profile?: Profile | undefined;
  who?: string | undefined;
  role?: string | undefined;
  /** What its token is limited to, as the server says; empty where to nothing. */
  scopes?: readonly string[] | undefined;
  /** The one it acts in, as the server says. */
  organization?: string | undefined;
  maskedToken?: string | undefined;
  store?: StoreKind | undefined;
  /** Where the tested token came from; absent where there was none. */
  source?: "flag" | "environment" | "profile" | undefined;
  createdAtMs?: number | undefined;
  expiresAtMs?: number | undefined;
  /** Whether it is got again without a person; absent where that is not known. */
  renews?: boolean | undefined;
  result: ProfileResult;
  /** One line for people, where the result needs a word more. */
  reason?: string | undefined;
  /** Of `rate limited`, where the server says it. */
  retryAfterSeconds?: number | undefined;
  /** What helps there. */
  hint?: string | undefined;
  /** What to do before it ends. */
  warning?: string | undefined;
}

/** What is tested: a saved profile, or a bearer from elsewhere for a server. */
export interface Subject {
  url: CanonicalUrl;
  name: string | undefined;
  endpoint: string;
  server: "onedoor" | "mcp" | "unknown";
  profile: Profile | undefined;
  /** Set when the token is not the profile's own. */
  bearer?: Bearer | undefined;
}

/** @param bearer one from elsewhere that is tested in place of the profile's own */
export function subjectOf(profile: Profile, bearer?: Bearer): Subject {
  return {
    url: profile.url,
    name: profile.name,
    endpoint: addressOf(profile),
    server: profile.server ?? "unknown",
    profile,
    bearer,
  };
}

/**
 * Tests one profile against its server. Every failure is a row: one dead server hides no living one.
 * @param runtime the running gateway of this user: local tokens go to it alone
 */
export async function testProfile(
  subject: Subject,
  runtime: RuntimeRecord | undefined,
  context: Context,
  dependencies: AuthDependencies,
): Promise<ProfileRow> {
  let row = rowOf(subject, subject.profile);
  try {
    const show = (bearer: Bearer): void => {
      row = rowOf(subject, bearer.profile);
      row.maskedToken = bearer.token === undefined ? undefined : maskToken(bearer.token);
    };
    const first = await bearerOf(subject, runtime, context, dependencies);
    show(first);
    const server = { endpoint: endpointOf(subject, runtime), server: subject.server };
    const { bearer, probe } = await probeWithRenewal(server, first, context, dependencies);
    show(bearer);
    const judged = { ...row, ...judge(probe, row, context.now()) };
    return { ...judged, warning: warningOf(judged, subject, context.now()) };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof AppError)) throw error;
    const nothingToTest = !subject.profile && !subject.bearer;
    const result = nothingToTest ? "missing" : (resultOfError[error.code] ?? "failed");
    const { message: reason, hint, retryAfterSeconds } = error;
    return { ...row, result, reason, hint, retryAfterSeconds };
  }
}

/** A local token is for the instance that minted it; that none of it runs here is what the row says. */
async function bearerOf(
  { profile, bearer }: Subject,
  runtime: RuntimeRecord | undefined,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Bearer> {
  if (bearer !== undefined) return bearer;
  if (profile === undefined) return { source: "none" };
  if (profile.source === "local" && !isMinter(runtime, profile)) {
    throw new AppError("unreachable", "The gateway that minted this token does not run here now");
  }
  return profileBearer(profile, runtime, context, dependencies);
}

function endpointOf(subject: Subject, runtime: RuntimeRecord | undefined): string {
  const local = subject.bearer === undefined && subject.profile?.source === "local";
  return local && runtime ? runtime.url : subject.endpoint;
}

function rowOf(subject: Subject, profile: Profile | undefined): ProfileRow {
  const from = subject.bearer?.source;
  const own = subject.bearer === undefined ? profile : undefined;
  return {
    url: subject.url,
    name: subject.name,
    endpoint: subject.endpoint,
    who: own?.who,
    role: own?.role,
    store: own?.store,
    profile: subject.profile,
    source:
      from === "option"
        ? "flag"
        : from === "environment"
          ? "environment"
          : subject.profile && "profile",
    createdAtMs: own?.createdAtMs,
    expiresAtMs: own?.expiresAtMs,
    renews: own && renews(own),
    result: "missing",
  };
}

function judge(
  probe: AuthenticationProbe,
  row: ProfileRow,
  nowMs: number,
): Partial<ProfileRow> & Pick<ProfileRow, "result"> {
  if (probe.kind === "open") return { result: "needs no sign-in" };
  if (probe.kind === "required") return { result: "missing" };
  if (probe.kind === "rejected") {
    const isOver = (row.expiresAtMs ?? Infinity) <= nowMs;
    return { result: isOver ? "expired" : "rejected", reason: probe.words };
  }
  return {
    result: "ok",
    who: probe.who ?? row.who,
    // No role is another answer than none that says one.
    role: probe.role === null ? undefined : (probe.role ?? row.role),
    scopes: probe.scopes,
    organization: probe.organization,
    expiresAtMs: probe.expiresAtMs ?? row.expiresAtMs,
    ...(probe.lacks && {
      reason: `it takes the token, which lacks scopes: ${probe.lacks.join(" ")}`,
    }),
  };
}

/** What the server says of the expiry counts more than what was saved. */
function warningOf(
  { result, expiresAtMs }: ProfileRow,
  { profile, bearer }: Subject,
  nowMs: number,
): string | undefined {
  if (result !== "ok" || profile === undefined || bearer !== undefined) return undefined;
  return expiryWarning({ ...profile, expiresAtMs }, nowMs);
}

/** Every other error is a failure of ours or of the server that says nothing about the profile. */
const resultOfError: Partial<Record<ErrorCode, ProfileResult>> = {
  unreachable: "unreachable",
  timeout: "unreachable",
  upstream_unavailable: "unreachable",
  auth_required: "missing",
  auth_rejected: "rejected",
  forbidden: "rejected",
  store_unavailable: "store unavailable",
  rate_limited: "rate limited",
};

/**
 * 0 when all are good, 4 when one needs a sign-in, else 3 when one could not be reached, else 1 when one failed, else
 * 6: the rest are asked too often.
 */
export function exitCodeOfRows(rows: readonly ProfileRow[]): number {
  const results = new Set(rows.map((row) => row.result));
  if (results.has("rejected") || results.has("expired") || results.has("missing")) return 4;
  if (results.has("unreachable")) return 3;
  if (results.has("store unavailable") || results.has("failed")) return 1;
  return results.has("rate limited") ? 6 : 0;
}
