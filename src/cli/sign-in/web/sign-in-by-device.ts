import { shownAddress } from "../../../client/http-json.ts";
import { AppError } from "../../../core/errors.ts";
import { beginDeviceAuthorization } from "../../../oauth/begin-device-authorization.ts";
import type { DeviceAuthorizationBegun } from "../../../oauth/begin-device-authorization.ts";
import type { GrantedToken, OAuthDependencies, SignInTarget } from "../../../oauth/oauth.ts";
import type { Context } from "../../context.ts";
import type { ClientChoice } from "../ways-in.ts";
import { ownClient } from "./own-client.ts";
import { withinPersonsTime } from "./persons-time.ts";
import { sayPlace, signInPlace } from "./sign-in-place.ts";

/**
 * Signs in on any device of the person's: here an address and a code are shown (RFC 8628).
 * @throws AppError `usage` (the server has no device flow; no client for it), `auth_rejected`, `unreachable`,
 *   `timeout` (five minutes, or the code's own time); the reason of an abort (Ctrl-C)
 */
export async function signInByDevice(
  target: SignInTarget,
  choice: ClientChoice,
  context: Context,
  oauth: OAuthDependencies,
): Promise<GrantedToken> {
  const { io } = context;
  const server = shownAddress(choice.serverUrl);
  const endpoint = target.server.deviceAuthorizationEndpoint;
  if (endpoint === undefined) {
    throw new AppError("usage", `${shownAddress(target.server.issuer)} signs in no devices`, {
      hint: `${choice.login} --web`,
    });
  }
  const { host } = new URL(endpoint);
  const use = { grantTypes: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"] };
  const client = await ownClient(target, choice, use, context, oauth);
  return withinPersonsTime(
    context,
    () =>
      new AppError("timeout", `Nobody signed in at ${host} within five minutes`, {
        hint: `${choice.login} --device`,
      }),
    async (signal) => {
      const begun = await beginDeviceAuthorization(target, client, { ...oauth, signal });
      for (const line of instructions(begun, server, target)) io.note(line, { always: true });
      const spinner = io.spin(`Waiting until you have signed in at ${host}`);
      try {
        return await begun.finish();
      } finally {
        spinner.stop();
      }
    },
  );
}

function instructions(
  { userCode, verificationUri, verificationUriComplete }: DeviceAuthorizationBegun,
  server: string,
  target: SignInTarget,
): string[] {
  const place = signInPlace(verificationUri, target.server);
  const where = place.others.length === 0 ? "" : ` at ${sayPlace(place)}`;
  return [
    `To sign in to ${server}${where}, open this address in a browser, on any device:`,
    `  ${new URL(verificationUri).href}`,
    "and type this code there:",
    `  ${userCode}`,
    ...(verificationUriComplete === undefined
      ? []
      : [`The same with the code in it: ${new URL(verificationUriComplete).href}`]),
  ];
}
