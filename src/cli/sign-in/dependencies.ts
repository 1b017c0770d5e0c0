import { probeAuthentication } from "../../client/probe-authentication.ts";
import { openProfiles } from "../../profiles/open-profiles.ts";
import type { Profiles } from "../../profiles/open-profiles.ts";
import { mintLocalToken } from "../../runtime/mint-local-token.ts";
import { processStart } from "../../runtime/process-start.ts";
import { readRuntimeFile } from "../../runtime/runtime-file.ts";
import type { Context } from "../context.ts";
import { credentialKeeping } from "./credential-keeping.ts";
import type { CredentialKeeping } from "./credential-keeping.ts";
import { waysIn } from "./ways-in.ts";
import type { WaysIn } from "./ways-in.ts";

/** What the commands of `agent auth` reach for outside themselves; tests hand in their own. */
export interface AuthDependencies {
  openProfiles(context: Context): Profiles;
  readRuntimeFile: typeof readRuntimeFile;
  mintLocalToken: typeof mintLocalToken;
  probeAuthentication: typeof probeAuthentication;
  waysIn: WaysIn;
  keeping: CredentialKeeping;
}

export const authDependencies: AuthDependencies = {
  openProfiles: (context) =>
    openProfiles({
      configDir: context.directories.config,
      now: context.now,
      report: (line) => context.io.note(line, { always: true }),
      learn: (secret) => context.secrets.add(secret),
      startOf: processStart,
      sessionBus: context.environment.sessionBus,
    }),
  readRuntimeFile,
  mintLocalToken,
  probeAuthentication,
  waysIn,
  keeping: credentialKeeping,
};
