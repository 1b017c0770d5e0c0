import { shownAddress } from "../../../client/http-json.ts";
import { logIn, OrganizationNeeded } from "../../../client/session-login.ts";
import type { LoginCredentials, Session } from "../../../client/session-login.ts";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import type { Context } from "../../context.ts";
import { hasPerson } from "../../has-person.ts";
import { withHiddenInput } from "../../hidden-input.ts";
import type { AskHidden } from "../../hidden-input.ts";
import { pipedLine } from "../read-secret-line.ts";
import { checkEmail, checkPassword } from "./check-credentials.ts";

export interface PasswordSignInOptions {
  /** Where the password goes. */
  url: string;
  /** The command that signs in there, for this profile, without a way. */
  login: string;
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
 * Signs in with email address and password: asked for on a terminal, where the password is not shown; elsewhere the
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
  if (hasPerson(context)) return askPerson(options, context);
  if (email === undefined) {
    throw new AppError("usage", "There is nobody to ask for an email address", {
      hint: fromFile(options),
    });
  }
  const password = await fromStdin({ ...options, email }, context);
  return logInOnce(options.url, { email, password, organization }, context);
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
      try {
        return await logInOnce(url, { ...credentials, organization }, context);
      } catch (error) {
        if (error instanceof OrganizationNeeded && organization === undefined) {
          context.io.note(error.message, { always: true });
          organization = (await ask("Organisation:", { shown: true }))?.trim();
          if (organization === undefined || organization === "") throw error;
          continue;
        }
        const isWrong = error instanceof AppError && error.code === "auth_rejected";
        if (!isWrong || tries === mostTries) throw error;
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
    const email = given ?? (await ask(`Email address at ${where}:`, { shown: true }))?.trim() ?? "";
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
  context: Context,
): Promise<string> {
  const password = await pipedLine("password", options.stdinTimeoutMs, context);
  if (password === undefined) {
    throw new AppError(
      "usage",
      `No password of ${options.email} for ${shownAddress(options.url)}`,
      { hint: fromFile(options) },
    );
  }
  context.secrets.add(password);
  checkPassword(password, fromFile(options));
  return password;
}

/** The command for who is no person at a terminal. */
function fromFile({ login, email, organization }: PasswordSignInOptions): string {
  const whose = email === undefined ? "<address>" : quoteForShell(email);
  const where = organization === undefined ? "" : ` --organization ${quoteForShell(organization)}`;
  return `${login} --email ${whose}${where} < password.txt`;
}

/** What the session holds is masked before anything is said of it. */
async function logInOnce(
  url: string,
  credentials: LoginCredentials,
  { deadline, now, secrets }: Context,
): Promise<Session> {
  try {
    const session = await logIn(url, credentials, { signal: deadline.signal, now });
    const { token, session: more } = session.credential;
    secrets.add(token);
    if (more !== undefined) secrets.add(more.refreshToken);
    return session;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "auth_rejected") throw error;
    throw new AppError(error.code, error.message, {
      hint: "Check both; whoever administers the server sets another password (agent user passwd)",
      cause: error,
    });
  }
}
