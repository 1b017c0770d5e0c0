import { AppError } from "../core/errors.ts";
import { isIdentifier } from "../core/identities.ts";
import { oneLine } from "../core/terminal-text.ts";

const longestName = 200;

/**
 * @param what what it identifies, as in `The id of an organisation`
 * @throws AppError `usage`
 */
export function checkIdentifier(id: string, what: string): void {
  if (isIdentifier(id)) return;
  throw new AppError("usage", `"${oneLine(id, 100)}" is no id for ${what}`, {
    hint: "Lower-case letters and digits, with . _ - + @ between them; at most 100 characters",
  });
}

/**
 * What people call something: 1 to 200 characters, none of them a control character or half of a surrogate pair
 * (no storage keeps those as they are), and not only white space. All else is kept as it is.
 * @throws AppError `usage`
 */
export function checkName(name: string, what: string): void {
  // The first look keeps a huge text from being taken apart.
  const tooLong = name.length > 2 * longestName || Array.from(name).length > longestName;
  if (!tooLong && name.trim() !== "" && !/[\p{Cc}\p{Cs}]/u.test(name)) return;
  throw new AppError("usage", `"${oneLine(name, 60)}" is no name for ${what}`, {
    hint: `1 to ${longestName} characters, without control characters, not only spaces`,
  });
}
