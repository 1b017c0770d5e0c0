import { ClientSecretPost, None, PrivateKeyJwt, modifyAssertion } from "oauth4webapi";
import type { ClientAuth } from "oauth4webapi";
import { AppError } from "../core/errors.ts";
import type { OAuthClient, OAuthDependencies } from "./oauth.ts";
import { readPrivateKey } from "./private-key.ts";

/** How long an assertion is good, in seconds. */
const assertionSeconds = 60;

/**
 * How a client shows itself at the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2).
 * @throws AppError `usage` when the client lacks what its way needs
 */
export async function clientAuthentication(
  client: OAuthClient,
  { readKey, learn, now }: OAuthDependencies,
): Promise<ClientAuth> {
  const { authentication, keyFile, secret } = client;
  if (authentication === "none") return None();
  if (authentication === "private_key_jwt") {
    if (keyFile === undefined) throw lacks("a private key");
    const { key, algorithm, kid } = await readPrivateKey(await readKey(keyFile), keyFile);
    const signing = kid === undefined ? key : { key, kid };
    return PrivateKeyJwt(signing, {
      [modifyAssertion](header, payload) {
        header["alg"] = algorithm;
        const issued = Math.floor(now() / 1000);
        payload["iat"] = issued;
        payload["exp"] = issued + assertionSeconds;
        // It would refuse us wherever the other clock is only a second behind.
        delete payload["nbf"];
      },
    });
  }
  if (secret === undefined || secret === "") throw lacks("a secret");
  learn(secret);
  return authentication === "client_secret_post" ? ClientSecretPost(secret) : basic(secret);
}

/**
 * HTTP Basic, both parts encoded as in a form (RFC 6749 §2.3.1). Only what must be: many servers do not decode, and
 * would take an encoded `-` for another name.
 */
function basic(secret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    const credentials = `${formEncoded(client.client_id)}:${formEncoded(secret)}`;
    headers.set("authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

function lacks(what: string): AppError {
  return new AppError("usage", `This client shows itself by ${what}, and has none`);
}
