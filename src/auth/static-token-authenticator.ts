import { createHash, timingSafeEqual } from "node:crypto";
import type { StaticToken } from "../core/configuration.ts";
import { isIdentifier } from "../core/identities.ts";
import type { Principal } from "../core/principal.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Directory } from "./directory.ts";

/**
 * Accepts the tokens written in the configuration. Every token is compared, by digest and in constant time,
 * so that the time taken tells neither how much of a guess was right nor which token it was. One for an organisation
 * that is not there, or deleted, is rejected and says so: its bearer must not act in none instead, which is more.
 */
export function createStaticTokenAuthenticator(
  tokens: readonly StaticToken[],
  directory: Pick<Directory, "organization">,
): Authenticator {
  const known = tokens.map((token) => ({ ...token, digest: digestOf(token.token) }));

  const find = (digest: Buffer): (typeof known)[number] | undefined => {
    let match: (typeof known)[number] | undefined;
    for (const candidate of known) {
      if (timingSafeEqual(candidate.digest, digest)) match ??= candidate;
    }
    return match;
  };
  /** Undefined: its organisation is not there. */
  const principalOf = ({
    name,
    role,
    organizationId,
    digest,
  }: (typeof known)[number]): Principal | undefined => {
    if (organizationId !== null && directory.organization(organizationId)?.deletedAtMs !== null) {
      return undefined;
    }
    return {
      userId: name,
      displayName: name,
      organizationId,
      role,
      scopes: [],
      method: "token",
      isLocalOwner: false,
      tokenHash: digest.toString("hex"),
    };
  };

  /** Null where nothing that can be pasted says it. Whoever has shown the token may know what it is for. */
  const howToHaveIt = (organizationId: string | null): string | null => {
    if (organizationId === null || !isIdentifier(organizationId)) return null;
    return directory.organization(organizationId) === undefined
      ? `An administrator can add it: agent org add ${organizationId}`
      : `An administrator can restore it: agent org restore ${organizationId}`;
  };

  return {
    way: {
      type: "token",
      description:
        "With a token from the gateway's configuration: agent auth login --url <url> < token.txt",
    },
    authenticate({ bearer }) {
      if (bearer === undefined) return { kind: "absent" };
      const match = find(digestOf(bearer));
      if (match === undefined) return { kind: "not-mine" };
      const principal = principalOf(match);
      if (principal !== undefined) return { kind: "accepted", principal };
      return {
        kind: "rejected",
        reason: "The organisation that this token is for does not exist in this gateway",
        hint: howToHaveIt(match.organizationId),
      };
    },
    renew({ tokenHash }) {
      const match = known.find(({ digest }) => digest.toString("hex") === tokenHash);
      return match && principalOf(match);
    },
  };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
