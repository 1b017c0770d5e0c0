import type { AuthenticationProbe } from "../../client/probe-authentication.ts";
import { AppError } from "../../core/errors.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { CanonicalUrl } from "../../core/url.ts";
import { addressOf } from "../../profiles/profile.ts";
import type { Profile, StoreKind } from "../../profiles/profile.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { Context } from "../context.ts";
import { expiryWarning } from "../expiry-warning.ts";
import { profileBearer, renewRefused } from "../profile-bearer.ts";
import type { Bearer } from "../profile-bearer.ts";
import { renews } from "../renew-profile.ts";
import { isMinter } from "../running-gateway.ts";
import { maskToken } from "./clean-token.ts";
import type { AuthDependencies } from "./dependencies.ts";

/** What became of a profile when it was tested. */
export type ProfileResult =
  | "ok"
  | "needs no sign-in"
  | "rejected"
  | "expired"
  | "missing"
  | "unreachable"
  | "store unavailable"
  | "failed";

/** One profile as `agent auth status` shows it. */
export interface ProfileRow {
  url: CanonicalUrl;
  name: string;
  endpoint: string;
  who?: string | undefined;
  role?: string | undefined;
  /** What its token is limited to, as the server says; empty where to nothing. */
  scopes?: readonly string[] | undefined;
  /** The one it acts in, as the server says. */
  organization?: string | undefined;
  maskedToken?: string | undefined;
  store?: StoreKind | undefined;
  /** Where the tested token came from. */
  source: "flag" | "environment" | "profile";
  createdAtMs?: number | undefined;
  expiresAtMs?: number | undefined;
  /** Whether it is got again without a person; absent where that is not known. */
  renews?: boolean | undefined;
  result: ProfileResult;
  /** One line for people, where the result needs a word more. */
  reason?: string | undefined;
  /** What helps there. */
  hint?: string | undefined;
  /** What to do before it ends. */
  warning?: string | undefined;
}

/** What is tested: a saved profile, or a bearer from elsewhere for a server. */
export interface Subject {
  url: CanonicalUrl;
  name: string;
  endpoint: string;
  server: "onedoor" | "mcp" | "unknown";
  profile: Profile | undefined;
  /** Set when the token is not the profile's own. */
  bearer?: Bearer | undefined;
}

export function subjectOf(profile: Profile): Subject {
  return {
    url: profile.url,
    name: profile.name,
    endpoint: addressOf(profile),
    server: profile.server ?? "unknown",
    profile,
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
    const ask = (bearer: Bearer | undefined): Promise<AuthenticationProbe> => {
      if (bearer?.profile) row = rowOf(subject, bearer.profile);
      row.maskedToken = bearer?.token === undefined ? undefined : maskToken(bearer.token);
      return dependencies.probeAuthentication(
        endpointOf(subject, runtime),
        bearer?.token,
        context.deadline.signal,
        subject.server === "unknown" ? undefined : subject.server,
      );
    };
    const bearer =
      subject.bearer ??
      (subject.profile && (await ownBearer(subject.profile, runtime, context, dependencies)));
    let probe = await ask(bearer);
    if (probe.kind === "rejected" && bearer !== undefined) {
      const other = await renewRefused(bearer, context, dependencies);
      if (other !== undefined) probe = await ask(other);
    }
    const judged = { ...row, ...judge(probe, row, context.now()) };
    return { ...judged, warning: warningOf(judged, subject, context.now()) };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof AppError)) throw error;
    const nothingToTest = !subject.profile && !subject.bearer;
    const result = nothingToTest ? "missing" : (resultOfError[error.code] ?? "failed");
    return { ...row, result, reason: error.message, hint: error.hint };
  }
}

/** A local token is for the instance that minted it; that none of it runs here is what the row says. */
async function ownBearer(
  profile: Profile,
  runtime: RuntimeRecord | undefined,
  context: Context,
  dependencies: AuthDependencies,
): Promise<Bearer> {
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
    source: from === "option" ? "flag" : from === "environment" ? "environment" : "profile",
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
    return { result: (row.expiresAtMs ?? Infinity) <= nowMs ? "expired" : "rejected" };
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
};

/** 0 when all are good, 4 when one needs a sign-in, else 3 when one could not be reached, else 1. */
export function exitCodeOfRows(rows: readonly ProfileRow[]): number {
  const results = new Set(rows.map((row) => row.result));
  if (results.has("rejected") || results.has("expired") || results.has("missing")) return 4;
  if (results.has("unreachable")) return 3;
  return results.has("store unavailable") || results.has("failed") ? 1 : 0;
}
