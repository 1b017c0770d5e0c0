import type { IncomingMessage } from "node:http";
import type { SignInWay } from "../auth/authenticator.ts";
import type { Configuration } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import type { ErrorAnswer } from "./error-answer.ts";

/** Where the metadata of the gateway as a whole are; those of one path have it behind (RFC 9728 §3.1). */
export const metadataPath = "/.well-known/oauth-protected-resource";

/** A protected resource of this gateway: `/mcp`, or all of it. */
export type Resource = "/mcp" | "";

/** What the gateway says of itself as a protected resource, while an authorization server is among its sign-in ways. */
export interface ResourceMetadata {
  /** RFC 9728 §2; undefined while there is no authorization server. */
  documentOf(request: IncomingMessage, resource: Resource): JsonObject | undefined;
  /** Tells a client that is refused for its token where to get one (RFC 9728 §5.1). */
  announcedIn(answer: ErrorAnswer, request: IncomingMessage): ErrorAnswer;
}

/**
 * @param ways asked for at each use: they change at a reload
 * @param configuration `externalUrl` is how the gateway calls itself, whatever a request says; without it, the name it
 *   was asked under, which the guard has looked at
 */
export function createResourceMetadata(
  ways: () => readonly SignInWay[],
  configuration: Pick<Configuration, "externalUrl" | "tls">,
): ResourceMetadata {
  const baseOf = ({ headers: { host = "" } }: IncomingMessage): string => {
    const { externalUrl, tls } = configuration;
    const url = new URL(externalUrl ?? `${tls === undefined ? "http" : "https"}://${host}`);
    return `${url.origin}${url.pathname.replace(/\/+$/u, "")}`;
  };
  const issuers = (): readonly { issuer: string; scopes: readonly string[] }[] =>
    ways().flatMap(({ type, issuer, scopes = [] }) =>
      type === "oauth" && issuer !== undefined ? [{ issuer, scopes }] : [],
    );
  const scopesOf = (found: ReturnType<typeof issuers>): string[] => [
    ...new Set(found.flatMap(({ scopes }) => scopes)),
  ];

  return {
    documentOf(request, resource) {
      const found = issuers();
      if (found.length === 0) return undefined;
      const scopes = scopesOf(found);
      return {
        resource: `${baseOf(request)}${resource}`,
        resource_name: "OneDoor",
        authorization_servers: [...new Set(found.map(({ issuer }) => issuer))],
        bearer_methods_supported: ["header"],
        ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
      };
    },
    announcedIn(answer, request) {
      const { status, headers } = answer;
      const challenge = headers["www-authenticate"];
      const found = issuers();
      if (challenge === undefined || found.length === 0) return answer;
      const [path = ""] = (request.url ?? "").split("?", 1);
      const resource: Resource = path === "/mcp" ? "/mcp" : "";
      const scopes = status === 401 ? scopesOf(found) : [];
      const parameters = [
        challenge,
        ...(scopes.length === 0 ? [] : [`scope="${scopes.join(" ")}"`]),
        // Below the folder of the external URL, where a proxy in front sends it here as everything else.
        `resource_metadata="${baseOf(request)}${metadataPath}${resource}"`,
      ];
      return { ...answer, headers: { ...headers, "www-authenticate": parameters.join(", ") } };
    },
  };
}
