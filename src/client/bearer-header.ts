import { AppError } from "../core/errors.ts";

/**
 * The `Authorization` header of a bearer (RFC 6750 §2.1), or nothing where there is none.
 * @throws AppError `usage` when no header can carry it; the token is not repeated
 */
export function bearerHeader(bearer: string | undefined): { authorization?: string } {
  if (bearer === undefined) return {};
  if (!/^[\x21-\x7e]+$/u.test(bearer)) {
    throw new AppError(
      "usage",
      "The token holds white space or characters that no header can carry",
      {
        hint: "Was it copied whole, and nothing beside it?",
      },
    );
  }
  return { authorization: `Bearer ${bearer}` };
}
