import { AppError } from "../../core/errors.ts";

/**
 * A token as it goes into an `Authorization` header: trimmed of white space and byte order mark, then
 * printable ASCII without spaces (RFC 6750 §2.1 allows less; static tokens are what people made up).
 * @param from where it came from, for the message, which never repeats it
 * @throws AppError `usage`
 */
export function cleanToken(text: string, from: string): string {
  const token = text.trim();
  if (token === "") {
    throw new AppError("usage", `The token from ${from} is empty`, {
      hint: from === "stdin" ? "Its first line is the token, and blank" : "Give it a token",
    });
  }
  if (/^bearer\s/iu.test(token)) {
    throw new AppError("usage", `The token from ${from} begins with "Bearer"`, {
      hint: "Give the token alone",
    });
  }
  if (!/^[\u0021-\u007e]+$/u.test(token)) {
    throw new AppError(
      "usage",
      `The token from ${from} holds white space, a control character or a letter beyond ASCII`,
      { hint: "Give the token alone, on one line" },
    );
  }
  return token;
}

/** Enough of a token to tell two apart: its last four characters, none of one that is short. */
export function maskToken(token: string): string {
  return token.length < 20 ? "…" : `…${token.slice(-4)}`;
}
