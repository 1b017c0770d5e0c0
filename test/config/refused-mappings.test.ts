import { describe, expect, test } from "vitest";
import { useRefusals } from "./support/refusals.ts";
import type { RefusedRow } from "./support/refusals.ts";

const { refusalOf } = useRefusals();

const jwt = { issuer: "https://id.example.com", audience: "onedoor", role: "viewer" };

describe("what claims mean", () => {
  const byUsers = "is what users write about themselves, so they could choose it";
  test.each<RefusedRow>([
    ...["user", "organization", "role"].flatMap((key) =>
      [
        ["user_metadata", "it"],
        "user_metadata",
        "user_metadata.role",
        "https://example.com/user_metadata",
        ["raw_user_meta_data", "it"],
        ["outer", "user_metadata"],
      ].map((claim): RefusedRow => [
        `${key} from ${JSON.stringify(claim)}`,
        { ...jwt, claims: { [key]: claim } },
        `claims.${key}: ${byUsers}`,
      ]),
    ),
    ["an empty name", { ...jwt, claims: { user: "" } }, "claims.user: must not be empty"],
    ["an empty path", { ...jwt, claims: { user: [] } }, "claims.user: must name a claim"],
    [
      "a path that is too deep",
      { ...jwt, claims: { user: Array.from({ length: 9 }, () => "a") } },
      "claims.user: must be at most 8 names",
    ],
    [
      "a number in a path",
      { ...jwt, claims: { role: ["roles", 0] } },
      "claims.role[1]: expected the name of a claim, or a list of names that leads to it",
    ],
    [
      "roles without a claim",
      { ...jwt, roles: { a: "viewer" } },
      "roles: needs claims.role, which says where these values stand",
    ],
    [
      "no roles",
      { ...jwt, claims: { role: "r" }, roles: {} },
      "roles: must name at least one value, or be left out",
    ],
    [
      "a role that there is not",
      { ...jwt, claims: { role: "r" }, roles: { boss: "owner" } },
      'roles.boss: expected "viewer", "editor" or "admin"',
    ],
    ["a wrong role", { ...jwt, role: "god" }, 'role: expected "viewer", "editor" or "admin"'],
    [
      "an organisation that is none",
      { ...jwt, organization: "Acme Inc" },
      "organization: is not the id of an organisation: lower-case letters, digits and . _ - + @ inside, at most 100",
    ],
    [
      "two places for the organisation",
      { ...jwt, organization: "acme", claims: { organization: "org" } },
      "organization: stands beside claims.organization; write one of them",
    ],
    ["a misspelt key", { ...jwt, clams: {} }, "clams: unknown key; did you mean claims?"],
  ])("%s is refused", async (_what, options, refusal) => {
    expect(await refusalOf("jwt", options)).toBe(refusal);
  });
});
