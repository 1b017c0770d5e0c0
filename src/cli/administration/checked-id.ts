import { AppError } from "../../core/errors.ts";
import { isIdentifier } from "../../core/identities.ts";
import { shownWord } from "../shown-word.ts";

/**
 * An id of an organisation or a user, found right before anybody is asked: what is none cannot be there.
 * @param name the argument or option, for the message
 * @throws AppError `usage`
 */
export function checkedId(name: string, text: string): string {
  if (isIdentifier(text)) return text;
  throw new AppError("usage", `${name} is no identifier: ${shownWord(text)}`, {
    hint: "Lower-case letters and digits, with any of . _ - + @ inside, at most 100 characters",
  });
}

/**
 * A name that becomes part of an address: a token's id, a server's name.
 * @throws AppError `usage` for what an address would lose
 */
export function checkedName(name: string, text: string): string {
  if (text.length <= 200 && !/[/\p{Cc}]/u.test(text) && !/^\.{0,2}$/u.test(text)) return text;
  throw new AppError("usage", `${name} cannot be a name here: ${shownWord(text)}`);
}
