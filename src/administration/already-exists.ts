import { AppError } from "../core/errors.ts";

/** What was to be made or restored is there (HTTP 409). */
export class AlreadyExists extends AppError {
  constructor(message: string, hint: string) {
    super("usage", message, { hint });
  }
}
