import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:net";
import { playBrowser } from "../../fixtures/play-browser.mjs";
import { startOidcProvider } from "../../fixtures/start-oidc-provider.ts";
import type { OidcProvider, OidcProviderOptions } from "../../fixtures/start-oidc-provider.ts";
import { baseScope, restrictedScope } from "../../fixtures/protected-mcp-server.ts";
import { startGateway } from "./gateway.ts";
import type { RunningGateway } from "./gateway.ts";
import type { Home } from "./home.ts";
import { echoServer } from "./team.ts";

export { playBrowser };
export { browserProgram } from "./browser-program.ts";
export { startProtectedMcpServer } from "../../fixtures/protected-mcp-server.ts";
export type { ProtectedMcpServer } from "../../fixtures/protected-mcp-server.ts";

/** Clients that the authorization server below knows from the start. */
export const clients = {
  /** Public, for the browser and for devices; any port on 127.0.0.1, path `/callback`. */
  native: "native",
  /** For client_credentials. */
  robot: { id: "robot", secret: "robot-secret-of-the-test" },
} as const;

/**
 * oidc-provider with everything on (see test/fixtures/oidc-provider.mjs): anybody may sign in and is an editor of a
 * gateway below, every URL is a resource, clients register themselves, refresh tokens rotate.
 * @param changes to its options; `people` is put over what people can do otherwise
 */
export async function startSignInServer(
  changes: Partial<OidcProviderOptions> = {},
): Promise<OidcProvider> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = privateKey.export({ format: "jwk" });
  return startOidcProvider({
    port: 0,
    keys: [{ ...jwk, kid: "first", alg: "ES256", use: "sig" }],
    alg: "ES256",
    resource: "https://resource.example/mcp",
    scope: `${baseScope} ${restrictedScope}`,
    lifetimeSeconds: 600,
    ...changes,
    clients: [
      {
        id: clients.native,
        metadata: {
          application_type: "native",
          grant_types: [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
          ],
          redirect_uris: ["http://127.0.0.1/callback"],
          response_types: ["code"],
          token_endpoint_auth_method: "none",
        },
      },
      { ...clients.robot, claims: { role: "editor", sub: clients.robot.id } },
      ...(changes.clients ?? []),
    ],
    people: { claimsOfAnybody: { role: "editor" }, ...changes.people },
  });
}

/**
 * The built gateway, with type `oauth` for the issuer's tokens.
 * @param home of the gateway alone: another one's programs show it nothing but what they signed in for
 */
export async function startProtectedGateway(
  home: Home,
  issuer: string,
  options: { scopes?: readonly string[]; configuration?: object } = {},
): Promise<RunningGateway> {
  const port = await freePort();
  const { scopes = [baseScope], configuration = {} } = options;
  return startGateway(
    home,
    {
      rateLimit: { rpm: 0 },
      mcpServers: { open: echoServer("open") },
      auth: {
        type: "oauth",
        options: {
          issuer,
          audience: `http://127.0.0.1:${port}/mcp`,
          scopes,
          claims: { role: "role" },
          roles: { editor: "editor", viewer: "viewer", admin: "admin" },
        },
      },
      ...configuration,
    },
    { port },
  );
}

/** A port of this machine that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return address.port;
}
