import { shownAddress } from "../../../client/http-json.ts";
import { AppError } from "../../../core/errors.ts";
import { OAuthRefusal } from "../../../oauth/answer-failure.ts";
import { beginAuthorization } from "../../../oauth/begin-authorization.ts";
import type { AuthorizationBegun } from "../../../oauth/begin-authorization.ts";
import type { GrantedToken, OAuthDependencies, SignInTarget } from "../../../oauth/oauth.ts";
import { askYesNo } from "../../ask-line.ts";
import type { Context } from "../../context.ts";
import type { WebChoice } from "../ways-in.ts";
import { startCallbackListener } from "./callback-listener.ts";
import type { CallbackListener, Uninvited } from "./callback-listener.ts";
import { openBrowser } from "./open-browser.ts";
import { ownClient } from "./own-client.ts";
import { failurePage, successPage } from "./pages.ts";
import { withinPersonsTime } from "./persons-time.ts";
import { sayPlace, signInPlace } from "./sign-in-place.ts";
import type { SignInPlace } from "./sign-in-place.ts";

/**
 * Signs in through the person's browser, which comes back to this machine (RFC 8252 §7.3).
 * @throws AppError `usage` (the callback's port; no client for this server), `auth_required` (the person does not want
 *   to), `auth_rejected`, `unreachable`, `timeout` (five minutes); the reason of an abort (Ctrl-C)
 */
export async function signInByWeb(
  target: SignInTarget,
  choice: WebChoice,
  context: Context,
  oauth: OAuthDependencies,
): Promise<GrantedToken> {
  const { io } = context;
  const server = shownAddress(choice.serverUrl);
  const place = signInPlace(
    target.server.authorizationEndpoint ?? target.server.issuer,
    target.server,
  );
  const question = `in to ${server} in the browser, at ${sayPlace(place)}`;
  if (!choice.ask) io.note(`Signing ${question}`);
  else if (!(await askYesNo(`Sign ${question}?`, true, context))) {
    throw new AppError("auth_required", `Not signed in to ${server}`, {
      hint: `Another way than the browser: agent auth login --help`,
    });
  }

  const listener = await startCallbackListener(choice.callbackPort ?? 0, (who) =>
    io.note(uninvited[who]),
  );
  try {
    const use = {
      redirectUri: listener.redirectUri,
      grantTypes: ["authorization_code", "refresh_token"],
    };
    const client = await ownClient(target, choice, use, context, oauth);
    const begun = await beginAuthorization(target, client, listener.redirectUri, oauth);
    const { finish } = begun;
    const callback = await waitForAnswer(begun, listener, { target, choice, place }, context);
    return await finishBefore(listener, { choice, place }, context, () => finish(callback));
  } finally {
    listener.close();
  }
}

const uninvited: Record<Uninvited, string> = {
  stray: "An answer came that does not belong to this sign-in; it was not taken. Waiting on",
  "other-user":
    "Another user of this machine came to this sign-in, and was turned away. Waiting on",
};

async function waitForAnswer(
  { url, state }: AuthorizationBegun,
  listener: CallbackListener,
  { target, choice, place }: { target: SignInTarget; choice: WebChoice; place: SignInPlace },
  context: Context,
): Promise<URL> {
  const { io, environment } = context;
  const { host } = place;
  const answer = listener.answerTo(state);
  const byDevice = target.server.deviceAuthorizationEndpoint !== undefined;
  const showAddress = (): void => {
    for (const line of addressLines(url, listener.port, byDevice)) io.note(line, { always: true });
  };
  let over = false;
  // Other users of this machine see what the browser is started with: that is not the address with the state.
  const start = listener.offerStart(url);
  const tried = openBrowser(start, environment, () => {
    // One that fails after it has opened the page has done all it had to.
    if (!over && listener.withdrawStart()) showAddress();
  });
  if (tried) io.note(`If no browser opens: ${start}`);
  else {
    listener.withdrawStart();
    showAddress();
  }

  const spinner = io.spin(`Waiting until you have signed in at ${host}`);
  try {
    return await withinPersonsTime(
      context,
      () => tooLate(choice.login, host, listener.strays),
      () => answer,
    );
  } finally {
    over = true;
    spinner.stop();
  }
}

/** How to sign in where no browser could be opened; shown on the terminal only. */
function addressLines(url: URL, port: number, byDevice: boolean): string[] {
  return [
    "No browser could be opened here. Open this address in one to sign in:",
    url.href,
    "On another machine, let the way back through first:",
    `  ssh -L ${port}:127.0.0.1:${port} <this machine>`,
    ...(byDevice ? ["or sign in with --device, which needs no way back"] : []),
  ];
}

function tooLate(login: string, host: string, strays: number): AppError {
  const stray = strays === 0 ? "" : ", only answers that do not belong to this sign-in";
  return new AppError(
    "timeout",
    `No answer came from the sign-in at ${host} within five minutes${stray}`,
    { hint: `${login} --web` },
  );
}

/** Fetches the token while the browser waits, and tells it how that ended. */
async function finishBefore(
  listener: CallbackListener,
  { choice, place }: { choice: WebChoice; place: SignInPlace },
  { io, secrets }: Context,
  finish: () => Promise<GrantedToken>,
): Promise<GrantedToken> {
  const { host } = place;
  const spinner = io.spin(`Fetching the token from ${host}`);
  try {
    const granted = await finish();
    await listener.show(successPage({ server: new URL(choice.serverUrl).host, place }));
    return granted;
  } catch (error) {
    await listener.show(pageOf(error, host, secrets));
    throw error;
  } finally {
    spinner.stop();
  }
}

function pageOf(error: unknown, host: string, secrets: Context["secrets"]): string {
  if (error instanceof OAuthRefusal && error.error === "access_denied") {
    return failurePage(`You, or ${host}, declined the sign-in.`, error.error);
  }
  const message = error instanceof AppError ? error.message : "It was given up in the terminal";
  return failurePage(secrets.mask(message));
}
