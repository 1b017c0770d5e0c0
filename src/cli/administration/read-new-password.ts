import { newPasswordFault, newPasswordHint } from "../../auth/passwords/password-rules.ts";
import { AppError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { hasPerson } from "../has-person.ts";
import { withHiddenInput } from "../hidden-input.ts";
import { pipedLine } from "../sign-in/read-secret-line.ts";

const stdinLimitMs = 60_000;

/**
 * A new password: asked for twice on a terminal and not shown there, else the first line of stdin. It is masked from
 * then on in all that is printed.
 * @param id whose it is, for the question
 * @throws AppError `usage`: none was given, two that differ, or one that no gateway takes; the reason of an abort
 */
export async function readNewPassword(id: string, context: Context): Promise<string> {
  const password = hasPerson(context) ? await askTwice(id, context) : await fromPipe(context);
  context.secrets.add(password);
  return password;
}

function askTwice(id: string, context: Context): Promise<string> {
  return withHiddenInput(context, async (ask) => {
    const password = (await ask(`New password of ${id}:`)) ?? "";
    checkPassword(password);
    if ((await ask("Once more:")) === password) return password;
    throw new AppError("usage", "The two passwords are not the same; nothing was changed", {
      hint: "Type the same one twice; the second time shows that it is what was meant",
    });
  });
}

async function fromPipe(context: Context): Promise<string> {
  const password = (await pipedLine("password", stdinLimitMs, context)) ?? "";
  checkPassword(password);
  return password;
}

/** Said before anybody is asked: the gateway has these rules, and more. */
function checkPassword(password: string): void {
  if (password === "") {
    throw new AppError("usage", "No password was given; nothing was changed", {
      hint: "Type it when it is asked for, or give it as the first line of stdin: agent user passwd <id> < password.txt",
    });
  }
  if (password.includes("\uFFFD")) {
    throw new AppError("usage", "The password is not UTF-8", {
      hint: "Type it on a terminal that uses UTF-8, or write it as UTF-8",
    });
  }
  const fault = newPasswordFault(password);
  if (fault !== undefined) throw new AppError("usage", fault, { hint: newPasswordHint });
}
