import { covers } from "../../core/url.ts";
import { lookAtCredential } from "../../profiles/survey-key-ring.ts";
import type { RuntimeRecord } from "../../runtime/runtime-record.ts";
import type { Ground } from "./ground.ts";

/** What is shown to this user's gateway; undefined: nobody is signed in to it. Nothing is renewed. */
export async function gatewayBearer(
  record: RuntimeRecord,
  ground: Ground,
): Promise<string | undefined> {
  const { environment, directories, secrets } = ground.context;
  for (const profile of ground.survey.profiles) {
    if (!covers(profile.url, record.url)) continue;
    // A minted token is for the instance that minted it.
    if (profile.source === "local" && profile.instanceId !== record.instanceId) continue;
    const kept = await lookAtCredential(directories.config, profile, ground.keychain).catch(
      () => undefined,
    );
    if (kept === undefined) continue;
    secrets.add(kept.token);
    return kept.token;
  }
  return environment.url === undefined ? environment.token : undefined;
}
