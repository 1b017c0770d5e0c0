import type { SignInWay } from "../../src/auth/authenticator.ts";
import type { Door, DoorAnswer } from "../../src/auth/door.ts";
import { ada, goodToken } from "../gateway/fakes.ts";

export const issuer = "https://issuer.example/tenant";
export const tokenWay: SignInWay = { type: "token", description: "With a token" };
export const oauthWay: SignInWay = { type: "oauth", description: "At the issuer", issuer };

/** What the doors of these tests say to each token. */
const answers: Readonly<Record<string, DoorAnswer>> = {
  [goodToken]: { kind: "accepted", principal: ada },
  "viewer-token": {
    kind: "accepted",
    principal: { ...ada, role: "viewer", userRole: "admin", scopes: ["role:viewer"] },
  },
  "expired-token": { kind: "rejected", reason: "The token has expired" },
  "down-token": { kind: "unavailable", reason: "The auth server does not answer" },
  "homeless-token": {
    kind: "rejected",
    reason: 'It is for "nowhere"',
    hint: "An administrator can add it: agent org add nowhere",
  },
  "lost-token": { kind: "rejected", reason: "It is for nothing", hint: null },
  "narrower-token": { kind: "insufficient", scopes: ["mcp"] },
  "narrow-token": { kind: "insufficient", scopes: ["gateway.use", "profile"] },
};

export interface FakeDoor extends Door {
  /** Bearers that were shown, in order. */
  shown: (string | undefined)[];
  ways: SignInWay[];
}

/** Lets `good-token` in as Ada; asks whoever shows nothing for a sign-in. */
export function doorWith(...ways: SignInWay[]): FakeDoor {
  const door: FakeDoor = {
    ways,
    shown: [],
    authenticate({ bearer }) {
      door.shown.push(bearer);
      if (bearer === undefined) return Promise.resolve({ kind: "absent" });
      const unknown = { kind: "rejected", reason: "The token is not known here" } as const;
      return Promise.resolve(answers[bearer] ?? unknown);
    },
    renew: (principal) => principal,
    onChanged: () => undefined,
    revoke: () => Promise.resolve(false),
    replace: () => undefined,
  };
  return door;
}
