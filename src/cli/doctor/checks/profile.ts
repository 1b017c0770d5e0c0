import { probeAuthentication } from "../../../client/probe-authentication.ts";
import { AppError } from "../../../core/errors.ts";
import type { ErrorCode } from "../../../core/errors.ts";
import { KeychainError } from "../../../profiles/keychain-error.ts";
import { addressOf } from "../../../profiles/profile.ts";
import type { Profile } from "../../../profiles/profile.ts";
import { lookAtCredential } from "../../../profiles/survey-key-ring.ts";
import { secretsOf } from "../../../profiles/credential-text.ts";
import { expiryWarning } from "../../expiry-warning.ts";
import { loginHint } from "../../login-hint.ts";
import { shownTime } from "../../render/shown-time.ts";
import { renews } from "../../renew-profile.ts";
import { isMinter } from "../../running-gateway.ts";
import type { Check, Finding, FindingState } from "../check.ts";
import type { Ground } from "../ground.ts";
import { startAnew } from "./gateway.ts";

/** One profile: its token is there, and its server takes it. Nothing is renewed. */
export function profileCheck(profile: Profile): Check {
  const name = "profile";
  const who = profile.name === "default" ? profile.url : `${profile.url} (${profile.name})`;
  const login = loginHint(profile);
  const say = (state: FindingState, words: string, mend?: string): Finding => ({
    name,
    state,
    message: `${who}: ${words}`,
    mend,
  });

  async function look(ground: Ground, signal: AbortSignal): Promise<Finding> {
    const { context } = ground;
    const now = context.now();
    const credential = await lookAtCredential(context.directories.config, profile, ground.keychain);
    if (credential === undefined) return say("fail", "its token is no longer in its store", login);
    secretsOf(credential).forEach((secret) => context.secrets.add(secret));
    const { expiresAtMs = Infinity } = profile;
    if (expiresAtMs <= now && renews(profile)) {
      return say("ok", "its token has expired and is renewed at its next use");
    }
    if (expiresAtMs <= now) {
      return say("fail", `its token expired ${shownTime(expiresAtMs)}`, login);
    }
    let endpoint = addressOf(profile);
    if (profile.source === "local") {
      const state = await ground.gateway();
      const runtime = state.kind === "absent" ? undefined : state.record;
      if (!isMinter(runtime, profile)) {
        const words =
          "its token is for the gateway of this machine that minted it, which does not run";
        return say("warn", words, "agent serve --background");
      }
      if (state.kind === "silent") {
        return say("fail", "its gateway does not answer", startAnew(runtime.pid));
      }
      endpoint = runtime.url;
    }
    const probe = await probeAuthentication(endpoint, credential.token, signal, profile.server);
    switch (probe.kind) {
      case "open":
        return say("ok", "it needs no sign-in");
      case "required":
      case "rejected":
        return say("fail", "the token is rejected", login);
      case "accepted": {
        const saved = { ...profile, expiresAtMs: probe.expiresAtMs ?? profile.expiresAtMs };
        if (expiryWarning(saved, now) !== undefined) {
          return say("warn", `its token expires ${shownTime(saved.expiresAtMs ?? now)}`, login);
        }
        if (probe.lacks !== undefined) return say("warn", "the token lacks scopes", login);
        return say("ok", "the token is good");
      }
    }
  }

  return {
    name: `profile ${who}`,
    async look(ground, signal) {
      try {
        return await look(ground, signal);
      } catch (error) {
        if (signal.aborted)
          return say("fail", "it did not answer in time", unreachableMend(profile));
        if (!(error instanceof AppError)) throw error;
        const told = error instanceof KeychainError ? error.of(profile) : error;
        const away: readonly ErrorCode[] = ["unreachable", "timeout"];
        const mend = away.includes(told.code) ? unreachableMend(profile) : told.hint;
        return say("fail", told.message, mend);
      }
    },
  };
}

/** Nobody here can start a server that is elsewhere: all there is to do is to ask it again. */
function unreachableMend(profile: Profile): string {
  return profile.source === "local"
    ? "agent serve --restart"
    : loginHint(profile).replace("agent auth login", "agent auth status");
}
