import { AppError } from "../../core/errors.ts";

/**
 * A sign-in that is refused. Its words are the same whatever was wrong; whose it was, where that is known here, is for
 * the audit and not for the caller.
 */
export class RefusedSignIn extends AppError {
  /** A user of the store whose password was not this, or whose refresh token this was; null: nobody's. */
  readonly userId: string | null;
  constructor(message: string, options: { userId: string | null; hint?: string | undefined }) {
    super("auth_rejected", message, { hint: options.hint });
    this.userId = options.userId;
  }
}

/** Where no such way to sign in is on, or not any more. */
export function noPasswordSignIn(): AppError {
  return new AppError("not_found", "Nobody signs in with a password here", {
    hint: "GET /auth lists the ways to sign in",
  });
}

/** In the same words whether there is no such user, it may not get in, or the password is another. */
export function wrongPassword(userId: string | null): RefusedSignIn {
  return new RefusedSignIn("The email address or the password is wrong", { userId });
}

/** In the same words whether it never was, was used before, has expired, or its user is gone. */
export function wrongRefreshToken(userId: string | null): RefusedSignIn {
  return new RefusedSignIn("The refresh token is not good any more", {
    userId,
    hint: "Sign in with the password again",
  });
}
