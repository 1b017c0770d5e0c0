import { timingSafeEqual } from "node:crypto";
import type { StaticToken } from "../core/configuration.ts";
import { isIdentifier } from "../core/identities.ts";
import type { Authentication, Authenticator } from "./authenticator.ts";
import type { Directory } from "./directory.ts";
import { hashToken } from "./minted-token-format.ts";

/**
 * Accepts the tokens written in the configuration. Every token is compared, by digest and in constant time,
 * so that the time taken tells neither how much of a guess was right nor which token it was. One for an organisation
 * that is not there, or deleted, is rejected and says so: its bearer must not act in none instead, which is more.
 */
export function createStaticTokenAuthenticator(
  tokens: readonly StaticToken[],
  directory: Pick<Directory, "organization">,
): Authenticator {
  const known = tokens.map(createKnown);
  /** Of what is shown, written anew for each request: until it is compared nothing is waited for. */
  const shown = Buffer.alloc(digestLength);

  const find = (digest: Buffer): Known | undefined => {
    let match: Known | undefined;
    for (const candidate of known) {
      if (timingSafeEqual(candidate.digest, digest)) match ??= candidate;
    }
    return match;
  };
  const isGood = ({ accepted: { principal } }: Known): boolean =>
    principal.organizationId === null ||
    directory.organization(principal.organizationId)?.deletedAtMs === null;

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
      shown.write(hashToken(bearer), "latin1");
      const match = find(shown);
      if (match === undefined) return { kind: "not-mine" };
      if (isGood(match)) return match.accepted;
      return {
        kind: "rejected",
        reason: "The organisation that this token is for does not exist in this gateway",
        hint: howToHaveIt(match.accepted.principal.organizationId),
      };
    },
    renew({ tokenHash }) {
      const match = known.find(({ accepted }) => accepted.principal.tokenHash === tokenHash);
      return match && isGood(match) ? match.accepted.principal : undefined;
    },
  };
}

/** Of SHA-256 in hex, in bytes. */
const digestLength = 64;

/** A token, and what is said to who shows it: nothing of that changes while it is configured. */
interface Known {
  /** The stored form. */
  readonly digest: Buffer;
  readonly accepted: Authentication & { kind: "accepted" };
}

function createKnown({ name, role, organizationId, token }: StaticToken): Known {
  const tokenHash = hashToken(token);
  return {
    digest: Buffer.from(tokenHash),
    accepted: {
      kind: "accepted",
      principal: {
        userId: name,
        displayName: name,
        organizationId,
        role,
        scopes: [],
        method: "token",
        isLocalOwner: false,
        tokenHash,
      },
    },
  };
}
