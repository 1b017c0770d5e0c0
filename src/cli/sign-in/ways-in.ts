import type { Session } from "../../client/session-login.ts";
import type {
  BearerChallenge,
  GrantedToken,
  OAuthClient,
  SignInTarget,
} from "../../oauth/oauth.ts";
import type { Context } from "../context.ts";

/** How an OAuth client shows up at an authorization server, as far as the command line says. */
export interface ClientChoice {
  /** Shown in questions: the server that the token is for. */
  serverUrl: string;
  /** The command that signs in there, for this profile, without a way. */
  login: string;
  /** Of `--client-id` and what belongs to it. */
  given?: OAuthClient | undefined;
  /** That of an earlier profile; good for its own issuer alone. */
  kept?: { issuer: string; client: OAuthClient } | undefined;
}

export interface WebChoice extends ClientChoice {
  callbackPort?: number | undefined;
  /** Whether the person has not said yet that it is to be the browser. */
  ask: boolean;
}

/** The ways to a token that ask a person or an authorization server; each is loaded when it is first taken. */
export interface WaysIn {
  /** Where to sign in for a server by OAuth, at this issuer alone where one is named; undefined: it offers none. */
  find(
    endpoint: string,
    challenge: BearerChallenge | undefined,
    context: Context,
    issuer?: string,
  ): Promise<SignInTarget | undefined>;
  web(target: SignInTarget, choice: WebChoice, context: Context): Promise<GrantedToken>;
  device(target: SignInTarget, choice: ClientChoice, context: Context): Promise<GrantedToken>;
  clientCredentials(
    target: SignInTarget,
    choice: ClientChoice,
    context: Context,
  ): Promise<GrantedToken>;
  password(
    choice: {
      url: string;
      /** The command that signs in there, for the hints. */
      login: string;
      email?: string | undefined;
      organization?: string | undefined;
      stdinTimeoutMs: number;
    },
    context: Context,
  ): Promise<Session>;
}

export const waysIn: WaysIn = {
  async find(endpoint, challenge, context, issuer) {
    const { findSignIn } = await import("../../oauth/find-sign-in.ts");
    return findSignIn(endpoint, challenge, await oauth(context), issuer);
  },
  async web(target, choice, context) {
    const { signInByWeb } = await import("./web/sign-in-by-web.ts");
    return signInByWeb(target, choice, context, await oauth(context));
  },
  async device(target, choice, context) {
    const { signInByDevice } = await import("./web/sign-in-by-device.ts");
    return signInByDevice(target, choice, context, await oauth(context));
  },
  async clientCredentials(target, choice, context) {
    const { signInByClientCredentials } = await import("./web/sign-in-by-client-credentials.ts");
    return signInByClientCredentials(target, choice, context, await oauth(context));
  },
  async password(choice, context) {
    const { signInByPassword } = await import("./password/sign-in-by-password.ts");
    return signInByPassword(choice, context);
  },
};

async function oauth(context: Context) {
  return (await import("./oauth-dependencies.ts")).oauthDependencies(context);
}
