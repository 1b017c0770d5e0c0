import { AppError } from "../core/errors.ts";

/**
 * The database's files were removed, or others put in their place, while it was open. Until they are back nothing is
 * written, neither into what nobody will find nor into what is somebody else's.
 */
export class DatabaseGone extends AppError {
  /** @param reason for the log, as the cause: it names the file */
  constructor(reason: string) {
    super("store_unavailable", "The gateway's database was removed or replaced while it ran", {
      hint: "Restart the gateway",
      cause: new Error(reason),
    });
  }
}
