import { maxPasswordBytes } from "../../../auth/passwords/password-rules.ts";
import { AppError } from "../../../core/errors.ts";

/** In characters (RFC 5321 §4.5.3.1: 64 before the `@`, 255 behind it). */
const longestEmail = 320;

/**
 * Before a password is asked for that no server could take with it.
 * @throws AppError `usage`
 */
export function checkEmail(email: string): void {
  if (email === "") {
    throw new AppError("usage", "No email address was given", {
      hint: "Type it when it is asked for, or give it with --email <address>",
    });
  }
  if (email.length > longestEmail || /[\s\p{Cc}\p{Cs}\uFFFD]/u.test(email)) {
    throw new AppError(
      "usage",
      `An email address has no white space and at most ${longestEmail} characters`,
    );
  }
}

/**
 * Before it is sent: what is no password is a mistake of whoever brought it. Which rules a new one has to fit is
 * nobody's concern here.
 * @throws AppError `usage`, which does not repeat it
 */
export function checkPassword(password: string, hint: string): void {
  if (password === "") throw new AppError("usage", "No password was given", { hint });
  if (password.includes("\uFFFD")) {
    throw new AppError("usage", "The password is not UTF-8", {
      hint: "Type it on a terminal that uses UTF-8, or write it as UTF-8",
    });
  }
  if (Buffer.byteLength(password) > maxPasswordBytes) {
    throw new AppError("usage", `A password has at most ${maxPasswordBytes} bytes`, { hint });
  }
  if (/[\0\p{Cs}]/u.test(password)) {
    throw new AppError("usage", "The password holds a NUL, which no password does", { hint });
  }
}
