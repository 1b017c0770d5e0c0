import { shownAddress } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import { askYesNo } from "../ask-line.ts";
import type { Context } from "../context.ts";
import { loginHint } from "../login-hint.ts";
import type { ServerChoice } from "../server-choice.ts";
import type { CallingOptions, ServerSource } from "./open-server.ts";
import type { StepUp } from "./step-up.ts";

/**
 * Asks the person at the terminal whether to sign in to a server, and does so as `agent auth login` does;
 * what that prints goes to stderr, because stdout is for the result of the command that asked.
 * @param stepUp what for, when it is not for want of a token
 * @returns whether it was done; Enter means yes, the end of the input no
 * @throws what `agent auth login` throws; the reason of an abort (Ctrl-C)
 */
export async function offerSignIn(
  choice: ServerChoice,
  options: CallingOptions,
  context: Context,
  source: Pick<ServerSource, "signIn">,
  stepUp?: StepUp,
): Promise<boolean> {
  const { io } = context;
  const url = shownAddress(choice.given);
  const question =
    stepUp === undefined
      ? `Sign in to ${url} now?`
      : `${url} wants more scopes for this. Sign in once more, for ${stepUp.added} too?`;
  if (!(await askYesNo(question, true, context))) return false;
  const signedIn = source.signIn(
    {
      ...options,
      url: choice.given,
      // The one that is used, whatever made it so.
      profile: options.profile ?? choice.profile?.name,
      // A profile that is there was made with it; otherwise the address was let through.
      insecureHttp: true,
      format: "text",
    },
    {
      ...context,
      io: Object.create(io, {
        out: {
          value: (text: string): Promise<void> => {
            io.note(text.trimEnd(), { always: true });
            return Promise.resolve();
          },
        },
      }),
    },
    stepUp?.login,
  );
  await (choice.profile === undefined || stepUp === undefined
    ? signedIn
    : orPlainLogin(signedIn, loginHint(choice.profile, options)));
  return true;
}

/** More scopes may be refused, or had at another issuer alone: then the person begins anew, and is asked about that one. */
async function orPlainLogin(signedIn: Promise<unknown>, hint: string): Promise<void> {
  try {
    await signedIn;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "auth_rejected") throw error;
    throw new AppError(error.code, error.message, { hint, cause: error });
  }
}
