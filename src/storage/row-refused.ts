import { AppError } from "../core/errors.ts";

/**
 * The storage works, and does not take this row: its key is there already, what it belongs to is not there,
 * or there is nothing to replace. Trying again does not help.
 */
export class RowRefused extends AppError {
  /** @param reason for the log, as the cause: it may hold names and values */
  constructor(reason: string) {
    super("store_unavailable", "The gateway's database does not take this", {
      cause: new Error(reason),
    });
  }
}
