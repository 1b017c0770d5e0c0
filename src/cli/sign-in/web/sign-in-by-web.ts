import { shownAddress } from "../../../client/http-json.ts";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { beginAuthorization } from "../../../oauth/begin-authorization.ts";
import type { GrantedToken, OAuthDependencies, SignInTarget } from "../../../oauth/oauth.ts";
import { isSafeAddress } from "../../../oauth/sign-in-address.ts";
import { askLine } from "../../ask-line.ts";
import type { Context } from "../../context.ts";
import type { WebChoice } from "../ways-in.ts";
import { startCallbackListener } from "./callback-listener.ts";
import type { CallbackListener } from "./callback-listener.ts";
import { openBrowser } from "./open-browser.ts";
import { ownClient } from "./own-client.ts";
import { failurePage, successPage } from "./pages.ts";
import { withinPersonsTime } from "./persons-time.ts";

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
  const host = signInHost(target);
  const question = `in to ${server} in the browser, at ${host}`;
  if (!choice.ask) io.note(`Signing ${question}`);
  else if (!saysYes(await askLine(`Sign ${question}? [Y/n]`, context))) {
    throw new AppError("auth_required", `Not signed in to ${server}; nothing saved`, {
      hint: `Another way than the browser: agent auth login --help`,
    });
  }

  const listener = await startCallbackListener(choice.callbackPort ?? 0, () =>
    io.note("An answer came that does not belong to this sign-in; it was not taken. Waiting on"),
  );
  try {
    const use = {
      redirectUri: listener.redirectUri,
      grantTypes: ["authorization_code", "refresh_token"],
    };
    const client = await ownClient(target, choice, use, oauth);
    const { url, finish } = await beginAuthorization(target, client, listener.redirectUri, oauth);
    const callback = await waitForAnswer(url, listener, { target, choice, host }, context);
    return await finishBefore(listener, { server, host }, context, () => finish(callback));
  } finally {
    listener.close();
  }
}

/** Where the person signs in. A URL's host is ASCII, whatever its name is. */
function signInHost({ server }: SignInTarget): string {
  return new URL(server.authorizationEndpoint ?? server.issuer).host;
}

function saysYes(answer: string | undefined): boolean {
  return answer !== undefined && ["", "y", "yes"].includes(answer.trim().toLowerCase());
}

async function waitForAnswer(
  url: URL,
  listener: CallbackListener,
  { target, choice, host }: { target: SignInTarget; choice: WebChoice; host: string },
  context: Context,
): Promise<URL> {
  const { io, environment } = context;
  if (!isSafeAddress(url.href.split("?", 1).join(""))) {
    throw new AppError(
      "auth_rejected",
      `${host} wants to be opened at an address that is neither https nor on this machine`,
    );
  }
  const state = url.searchParams.get("state");
  if (state === null) throw new Error("the authorization URL has no state");
  const answer = listener.answerTo(state);
  const byDevice = target.server.deviceAuthorizationEndpoint !== undefined;
  const showAddress = (): void => {
    io.note("No browser could be opened here. Open this address in one to sign in:", {
      always: true,
    });
    io.note(url.href, { always: true });
    io.note(
      `A browser on another machine needs a way back: ssh -L ${listener.port}:127.0.0.1:${listener.port} <this machine> (--callback-port keeps the port)${byDevice ? "; --device needs none" : ""}`,
      { always: true },
    );
  };
  let over = false;
  const tried = openBrowser(url.href, environment, () => {
    if (!over) showAddress();
  });
  if (tried) io.note(`If no browser opens: ${url.href}`);
  else showAddress();

  const spinner = io.spin(`Waiting until you have signed in at ${host}`);
  try {
    return await withinPersonsTime(
      context,
      () => tooLate(choice.serverUrl, host, listener.strays),
      () => answer,
    );
  } finally {
    over = true;
    spinner.stop();
  }
}

function tooLate(serverUrl: string, host: string, strays: number): AppError {
  const stray = strays === 0 ? "" : ", only answers that do not belong to this sign-in";
  return new AppError(
    "timeout",
    `No answer came from the sign-in at ${host} within five minutes${stray}; nothing saved`,
    { hint: `Again: agent auth login --url ${quoteForShell(shownAddress(serverUrl))} --web` },
  );
}

/** Fetches the token while the browser waits, and tells it how that ended. */
async function finishBefore(
  listener: CallbackListener,
  { server, host }: { server: string; host: string },
  { io, secrets }: Context,
  finish: () => Promise<GrantedToken>,
): Promise<GrantedToken> {
  const spinner = io.spin(`Fetching the token from ${host}`);
  try {
    const granted = await finish();
    await listener.show(successPage({ server, host }));
    return granted;
  } catch (error) {
    const message = error instanceof AppError ? error.message : "It was given up in the terminal";
    await listener.show(failurePage(secrets.mask(message)));
    throw error;
  } finally {
    spinner.stop();
  }
}
