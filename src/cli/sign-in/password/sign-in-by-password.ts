import { shownAddress } from "../../../client/http-json.ts";
import { logIn, OrganizationNeeded } from "../../../client/session-login.ts";
import type { LoginCredentials, Session } from "../../../client/session-login.ts";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import type { Context } from "../../context.ts";
import { withHiddenInput } from "../../hidden-input.ts";
import type { AskHidden } from "../../hidden-input.ts";
import { isPiped, readTokenLine } from "../read-token-line.ts";
import { checkEmail, checkPassword } from "./check-credentials.ts";

export interface PasswordSignInOptions {
  /** Where the password goes. */
  url: string;
  /** `--email`; absent: it is asked for, which takes a terminal. */
  email?: string | undefined;
  /** `--organization`; absent: asked for on a terminal where the server must be told. */
  organization?: string | undefined;
  /** How long to wait for a password in a pipe, in milliseconds. */
  stdinTimeoutMs: number;
}

/** How often a person may mistype. */
const mostTries = 3;

/**
 * Signs in with e-mail address and password: asked for on a terminal, where the password is not shown; elsewhere the
 * password is the first line of stdin, and `email` says whose it is. All secrets are masked from then on in all
 * that is printed. Waiting for a person or for stdin is outside the deadline.
 * @throws AppError `usage` (nobody to ask and nothing in stdin; no address; no password), what `logIn` throws; the
 *   reason of an abort (Ctrl-C)
 */
export async function signInByPassword(
  options: PasswordSignInOptions,
  context: Context,
): Promise<Session> {
  const { email, organization } = options;
  if (email !== undefined) checkEmail(email);
  if (context.io.stdinIsTerminal) return askPerson(options, context);
  if (email === undefined) {
    throw new AppError("usage", "There is no terminal to ask for an e-mail address on", {
      hint: fromFile(options),
    });
  }
  const password = await fromStdin({ ...options, email }, context);
  const { signal } = context.deadline;
  try {
    return remember(await logIn(options.url, { email, password, organization }, signal), context);
  } catch (error) {
    throw nothingSaved(error);
  }
}

/** Asks until the server takes what is typed, or will hear no more. */
function askPerson(options: PasswordSignInOptions, context: Context): Promise<Session> {
  const { url } = options;
  const where = shownAddress(url);
  return withHiddenInput(context, async (ask, release) => {
    let { organization } = options;
    let credentials = await askCredentials(ask, options, context);
    for (let tries = 1; ;) {
      release();
      // The command's own clock stands still while a person is asked.
      const signal = AbortSignal.any([
        context.signal,
        AbortSignal.timeout(context.deadline.timeoutMs),
      ]);
      try {
        return remember(await logIn(url, { ...credentials, organization }, signal), context);
      } catch (error) {
        if (error instanceof OrganizationNeeded && organization === undefined) {
          context.io.note(error.message, { always: true });
          organization = (await ask("Organisation:", { shown: true }))?.trim();
          if (organization === undefined || organization === "") throw error;
          continue;
        }
        const isWrong = error instanceof AppError && error.code === "auth_rejected";
        if (!isWrong || tries === mostTries) throw nothingSaved(error);
        tries += 1;
        context.io.note(`${error.message}; try again`, { always: true });
        credentials = await askCredentials(ask, options, context);
      }
    }
  });

  async function askCredentials(
    ask: AskHidden,
    { email: given }: Pick<PasswordSignInOptions, "email">,
    { secrets }: Pick<Context, "secrets">,
  ): Promise<LoginCredentials> {
    const email =
      given ?? (await ask(`E-mail address at ${where}:`, { shown: true }))?.trim() ?? "";
    checkEmail(email);
    const password = (await ask(`Password of ${email} at ${where}:`)) ?? "";
    secrets.add(password);
    checkPassword(password, "Type it when it is asked for");
    return { email, password };
  }
}

/** The first line of what is in stdin. */
async function fromStdin(
  options: PasswordSignInOptions & { email: string },
  { io, deadline, signal, secrets }: Context,
): Promise<string> {
  const noPassword = (): AppError =>
    new AppError("usage", `No password of ${options.email} for ${shownAddress(options.url)}`, {
      hint: fromFile(options),
    });
  if (!isPiped(io.stdin)) throw noPassword();
  const line = await deadline.outside(() =>
    readTokenLine(io.stdin, {
      limitMs: options.stdinTimeoutMs,
      onWait: () => io.note("Waiting for a password on stdin"),
      signal,
      what: "password",
    }),
  );
  if (line === undefined) {
    io.note("stdin was empty: did the command before the pipe fail?");
    throw noPassword();
  }
  // What programs write around a line, and nothing that a password may hold.
  const password = line.replace(/^\uFEFF/u, "").replace(/\r$/u, "");
  secrets.add(password);
  checkPassword(password, fromFile(options));
  return password;
}

/** The command for who is no person at a terminal. */
function fromFile({ url, email }: PasswordSignInOptions): string {
  const whose = email === undefined ? "<address>" : quoteForShell(email);
  return `agent auth login --url ${quoteForShell(shownAddress(url))} --email ${whose} < password.txt`;
}

/** A refusal, and what became of the profile that there was. */
function nothingSaved(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== "auth_rejected") return error;
  const message = `${error.message}; nothing saved, the earlier profile is unchanged`;
  return new AppError(error.code, message, { hint: error.hint, cause: error });
}

/** Before anything is said of it. */
function remember(session: Session, { secrets }: Pick<Context, "secrets">): Session {
  const { token, session: more } = session.credential;
  secrets.add(token);
  if (more !== undefined) secrets.add(more.refreshToken);
  return session;
}
