import type { Logger } from "../../core/logger.ts";
import { AuthServerUnavailable } from "./ask-auth-server.ts";

/** Tells the operator of an auth server that does not answer, without a line for each request. */
export interface AvailabilityLog {
  /** Does `work`, and logs when it fails because of the server, and when that is over. @throws what `work` throws */
  watch<T>(work: () => Promise<T>): Promise<T>;
}

/** The same is not said again for so long, in milliseconds; sooner where it was over meanwhile. */
const quietMs = 10 * 60_000;
const quietAfterRecoveryMs = 60_000;
/** There are no more reasons than that; who invents some fills no memory. */
const maxReasons = 50;

export function createAvailabilityLog(options: {
  logger: Pick<Logger, "info" | "warn" | "error">;
  /** Of the auth server; shown without path and query. */
  url: string | undefined;
  /** Milliseconds since the epoch. */
  now: () => number;
}): AvailabilityLog {
  const { logger, now } = options;
  const authServer = options.url === undefined ? undefined : new URL(options.url).origin;
  const saidAtMs = new Map<string, number>();
  let isDown = false;
  let recoveredAtMs = -Infinity;

  const failed = ({ message: reason, isOurFault }: AuthServerUnavailable): void => {
    const said = saidAtMs.get(reason) ?? -Infinity;
    if (now() - said < (said <= recoveredAtMs ? quietAfterRecoveryMs : quietMs)) return;
    if (saidAtMs.size >= maxReasons) saidAtMs.clear();
    saidAtMs.set(reason, now());
    isDown = true;
    const fields = { authServer, reason };
    if (isOurFault) logger.error("The auth server refuses the gateway itself", fields);
    else logger.warn("The auth server cannot be asked: whom it would vouch for gets 503", fields);
  };

  return {
    async watch(work) {
      try {
        const result = await work();
        if (isDown) {
          logger.info("The auth server answers again", { authServer });
          isDown = false;
          recoveredAtMs = now();
        }
        return result;
      } catch (error) {
        if (error instanceof AuthServerUnavailable) failed(error);
        throw error;
      }
    },
  };
}
