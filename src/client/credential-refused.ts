import { AppError } from "../core/errors.ts";
import { InsufficientScope } from "../core/insufficient-scope.ts";
import type { BearerChallenge } from "../oauth/oauth.ts";

/**
 * A server refuses a request with 401, for want of a credential or for the one it shows: nothing of what was asked has
 * been done, so that it may be asked again with another one.
 */
export class CredentialRefused extends AppError {
  /** The URL that answered: where discovery of a sign-in starts. */
  readonly endpoint: string;
  /** What the answer says about getting a token; foreign text. */
  readonly challenge: BearerChallenge | undefined;
  constructor(
    code: "auth_required" | "auth_rejected",
    message: string,
    options: {
      hint?: string | undefined;
      endpoint: string;
      challenge: BearerChallenge | undefined;
    },
  ) {
    super(code, message, { hint: options.hint });
    this.endpoint = options.endpoint;
    this.challenge = options.challenge;
  }
}

/**
 * What a call fails with after its first round: it has begun, so that no refusal means any more that nothing has been
 * done, and that all of it may be asked again.
 */
export function onceBegun(error: unknown): unknown {
  if (!(error instanceof CredentialRefused || error instanceof InsufficientScope)) return error;
  return new AppError(error.code, error.message, { hint: error.hint, cause: error });
}
