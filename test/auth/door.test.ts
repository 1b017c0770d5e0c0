import { describe, expect, test } from "vitest";
import { createAnonymousAuthenticator } from "../../src/auth/anonymous-authenticator.ts";
import type { Authentication, Authenticator, SignInWay } from "../../src/auth/authenticator.ts";
import { createDoor } from "../../src/auth/door.ts";
import { hashToken } from "../../src/auth/minted-token-format.ts";
import { createStaticTokenAuthenticator } from "../../src/auth/static-token-authenticator.ts";
import type { Principal } from "../../src/core/principal.ts";
import { anOrganization } from "./support/identities.ts";

const principal: Principal = {
  userId: "ada",
  displayName: "Ada",
  organizationId: null,
  role: "viewer",
  scopes: [],
  method: "token",
  isLocalOwner: false,
};
const accepted = { kind: "accepted", principal } as const;
const rejected = { kind: "rejected", reason: "expired" } as const;
const unavailable = { kind: "unavailable", reason: "no database" } as const;
const unknown = { kind: "rejected", reason: "The token is not known here" } as const;

function answering(
  type: SignInWay["type"],
  answer: Authentication,
  asked: string[] = [],
): Authenticator {
  return {
    way: { type, description: "" },
    authenticate: () => {
      asked.push(type);
      return answer;
    },
    renew: (renewed) => renewed,
  };
}

const now = (): number => 1000;

describe("the list", () => {
  const absent = { kind: "absent" } as const;
  const notMine = { kind: "not-mine" } as const;
  const told = { kind: "not-mine", reason: "It is for another audience" } as const;
  const insufficient = { kind: "insufficient", scopes: ["mcp"] } as const;

  test.each([
    { first: rejected, second: accepted, bearer: "x", answer: rejected },
    { first: insufficient, second: accepted, bearer: "x", answer: insufficient },
    { first: unavailable, second: insufficient, bearer: "x", answer: insufficient },
    {
      first: told,
      second: notMine,
      bearer: "x",
      answer: { kind: "rejected", reason: told.reason },
    },
    { first: unavailable, second: notMine, bearer: "x", answer: unavailable },
    { first: unavailable, second: rejected, bearer: "x", answer: rejected },
    { first: unavailable, second: unavailable, bearer: "x", answer: unavailable },
    { first: notMine, second: rejected, bearer: "x", answer: rejected },
    { first: notMine, second: unavailable, bearer: "x", answer: unavailable },
    { first: notMine, second: notMine, bearer: "x", answer: unknown },
    { first: notMine, second: notMine, bearer: "", answer: unknown },
    { first: absent, second: absent, bearer: undefined, answer: absent },
    { first: unavailable, second: accepted, bearer: "x", answer: accepted },
    { first: notMine, second: accepted, bearer: "x", answer: accepted },
    { first: absent, second: accepted, bearer: undefined, answer: accepted },
    { first: accepted, second: rejected, bearer: "x", answer: accepted },
  ])("$first.kind, then $second.kind: $answer.kind", async ({ first, second, bearer, answer }) => {
    const door = createDoor([answering("local", first), answering("token", second)], now);
    expect(await door.authenticate({ bearer })).toStrictEqual(answer);
  });

  test("is asked in its own order, and no further than needed", async () => {
    const asked: string[] = [];
    const door = createDoor(
      [answering("token", accepted, asked), answering("local", { kind: "not-mine" }, asked)],
      now,
    );
    await door.authenticate({ bearer: "x" });
    expect(asked).toStrictEqual(["local", "token"]);
    expect(door.ways.map(({ type }) => type)).toStrictEqual(["local", "token"]);

    asked.length = 0;
    const closed = createDoor(
      [answering("token", accepted, asked), answering("local", rejected, asked)],
      now,
    );
    await closed.authenticate({ bearer: "x" });
    expect(asked).toStrictEqual(["local"]);
  });

  test("lets a fault of ours through as a fault, not as a rejection", async () => {
    const fault = new TypeError("bug");
    const door = createDoor(
      [{ ...answering("local", rejected), authenticate: () => Promise.reject(fault) }],
      now,
    );
    await expect(door.authenticate({ bearer: "x" })).rejects.toBe(fault);
  });

  test("may not be empty, and `none` stands alone", () => {
    expect(() => createDoor([], now)).toThrow("auth names no way to sign in");
    expect(() =>
      createDoor([createAnonymousAuthenticator(), answering("token", rejected)], now),
    ).toThrow('auth type "none" stands alone or not at all');
  });
});

describe("static tokens", () => {
  const organizations = new Map([
    ["acme", anOrganization("acme")],
    ["gone", { ...anOrganization("gone"), deletedAtMs: 5 }],
  ]);
  const door = createDoor(
    [
      createStaticTokenAuthenticator(
        [
          { name: "ci", token: "ci-secret", role: "viewer", organizationId: null },
          { name: "ops", token: "ops-secret", role: "admin", organizationId: null },
          { name: "acme", token: "acme-secret", role: "admin", organizationId: "acme" },
          { name: "gone", token: "gone-secret", role: "admin", organizationId: "gone" },
          { name: "never", token: "never-secret", role: "admin", organizationId: "never" },
        ],
        { organization: (id) => organizations.get(id) },
      ),
    ],
    now,
  );

  test("nothing, and everything that is not one of them, stays out", async () => {
    expect(await door.authenticate({})).toStrictEqual({ kind: "absent" });
    for (const bearer of ["", "ci", "ci-secre", "ci-secret ", "CI-SECRET", "ci-secretops-secret"]) {
      expect(await door.authenticate({ bearer })).toStrictEqual(unknown);
    }
  });

  test("each is who the configuration says", async () => {
    expect(await door.authenticate({ bearer: "ops-secret" })).toStrictEqual({
      kind: "accepted",
      principal: {
        userId: "ops",
        displayName: "ops",
        organizationId: null,
        role: "admin",
        scopes: [],
        method: "token",
        isLocalOwner: false,
        tokenHash: hashToken("ops-secret"),
      },
    });
    expect(await door.authenticate({ bearer: "ci-secret" })).toMatchObject({
      principal: { userId: "ci", role: "viewer" },
    });
  });

  test("one for an organisation acts there, and nowhere when that is not there", async () => {
    expect(await door.authenticate({ bearer: "acme-secret" })).toMatchObject({
      principal: { userId: "acme", organizationId: "acme", role: "admin" },
    });
    for (const [bearer, hint] of [
      ["gone-secret", "An administrator can restore it: agent org restore gone"],
      ["never-secret", "An administrator can add it: agent org add never"],
    ] as const) {
      expect(await door.authenticate({ bearer })).toStrictEqual({
        kind: "rejected",
        reason: "The organisation that this token is for does not exist in this gateway",
        hint,
      });
    }
  });
});

test("without authentication everybody administers, and is not the local owner", async () => {
  const door = createDoor([createAnonymousAuthenticator()], now);
  for (const bearer of [undefined, "", "anything"]) {
    expect(await door.authenticate({ bearer })).toMatchObject({
      kind: "accepted",
      principal: { userId: "anonymous", method: "none", role: "admin", isLocalOwner: false },
    });
  }
});
