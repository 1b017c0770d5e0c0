import { covers } from "../core/url.ts";
import type { Profile } from "../profiles/profile.ts";
import type { RuntimeRecord } from "../runtime/runtime-record.ts";
import type { Context } from "./context.ts";
import type { AuthDependencies } from "./sign-in/dependencies.ts";

/** The running gateway of this user, by its runtime file. */
export async function runningGateway(
  context: Context,
  dependencies: Pick<AuthDependencies, "readRuntimeFile">,
): Promise<RuntimeRecord | undefined> {
  const state = await dependencies.readRuntimeFile(context.directories.state);
  if (state.kind === "untrusted") {
    context.io.note(`The runtime file of the gateway ${state.reason}; it is ignored`);
  }
  return state.kind === "running" ? state.record : undefined;
}

/** Whether the running gateway is the instance that minted a profile's local token. */
export function isMinter(
  runtime: RuntimeRecord | undefined,
  profile: Profile,
): runtime is RuntimeRecord {
  return (
    runtime !== undefined &&
    runtime.instanceId === profile.instanceId &&
    covers(profile.url, runtime.url)
  );
}
