import type { ClientSession } from "../core/client-port.ts";
import { logLevels } from "../core/mcp.ts";
import type { LogLevel } from "../core/mcp.ts";
import { describeFailure } from "./failure-reason.ts";

/**
 * The log level of the connection that clients share: the most talkative that any of them wants. What comes
 * is then measured against each client's own.
 */
export function createCommonLogLevel(options: {
  tell: (level: LogLevel) => Promise<void>;
  onProblem: (problem: string) => void;
}): {
  set(level: LogLevel, session: ClientSession): Promise<void>;
  /** Tells a new connection. */
  restore(): Promise<void>;
} {
  const wanted = new Map<ClientSession, LogLevel>();
  let told: LogLevel | undefined;
  const lowest = (): LogLevel | undefined => {
    const levels = new Set(wanted.values());
    return logLevels.find((level) => levels.has(level));
  };
  const update = async (): Promise<void> => {
    const level = lowest();
    if (level === undefined || level === told) return;
    told = level;
    await options.tell(level);
  };
  return {
    async set(level, session) {
      if (session.ended.aborted) return;
      if (!wanted.has(session)) {
        const forget = (): void => {
          wanted.delete(session);
          update().catch((error: unknown) => {
            options.onProblem(`logging/setLevel: ${describeFailure(error)}`);
          });
        };
        session.ended.addEventListener("abort", forget, { once: true });
      }
      wanted.set(session, level);
      await update();
    },
    async restore() {
      told = undefined;
      await update();
    },
  };
}
