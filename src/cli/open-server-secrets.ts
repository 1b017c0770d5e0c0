import { openServerSecrets } from "../profiles/server-secrets.ts";
import type { ServerSecrets } from "../profiles/server-secrets.ts";
import { processStart } from "../runtime/process-start.ts";
import type { Context } from "./context.ts";

/** The secrets of upstream servers, for a command. */
export function openServerSecretsOf(context: Context): ServerSecrets {
  return openServerSecrets({
    configDir: context.directories.config,
    report: (line) => context.io.note(line, { always: true }),
    learn: (secret) => context.secrets.add(secret),
    startOf: processStart,
    sessionBus: context.environment.sessionBus,
  });
}
