import { describe, expect, it } from "vitest";
import type { AppError } from "../../src/core/errors.ts";
import {
  isGatewayAdministrator,
  managesServer,
  mayAs,
  requireRole,
  seesServer,
  sightOf,
} from "../../src/core/permissions.ts";
import { roles } from "../../src/core/principal.ts";
import type { Principal, Role } from "../../src/core/principal.ts";

const principal = (more: Partial<Principal> = {}): Principal => ({
  userId: "ada",
  displayName: "Ada",
  organizationId: "acme",
  role: "viewer",
  scopes: [],
  method: "local",
  isLocalOwner: false,
  ...more,
});
const server = (...organizations: string[]) => ({
  access: { read: [], write: [], organizations, trustHints: true },
});
const places = [null, "acme", "other"];
const everybody = places.flatMap((organizationId) =>
  [null, ...roles].flatMap((role) =>
    [[], ["metrics"]].map((scopes) => principal({ organizationId, role, scopes })),
  ),
);

describe("roles", () => {
  it.each<[Role | null, Role, boolean]>([
    [null, "viewer", false],
    ["viewer", "viewer", true],
    ["viewer", "editor", false],
    ["editor", "viewer", true],
    ["editor", "admin", false],
    ["admin", "editor", true],
    ["admin", "admin", true],
  ])("who is %s may what %s may: %s", (role, needed, may) => {
    expect(mayAs(principal({ role }), needed)).toBe(may);
  });

  it("count for nothing with a token that is for something else", () => {
    const scoped = principal({ role: "admin", organizationId: null, scopes: ["metrics"] });
    expect(mayAs(scoped, "viewer")).toBe(false);
    expect(isGatewayAdministrator(scoped)).toBe(false);
    expect(seesServer(scoped, server())).toBe(false);
  });

  it("of one organisation are none in the gateway", () => {
    expect(isGatewayAdministrator(principal({ role: "admin" }))).toBe(false);
    expect(isGatewayAdministrator(principal({ role: "admin", organizationId: null }))).toBe(true);
    expect(isGatewayAdministrator(principal({ role: "editor", organizationId: null }))).toBe(false);
  });
});

describe("servers", () => {
  it.each<[string | null, Role | null, string[], boolean]>([
    ["acme", "admin", ["other"], false],
    ["acme", "viewer", ["acm", "acmes", "ACME"], false],
    [null, "editor", ["acme"], false],
    [null, null, [], false],
    ["acme", null, [], false],
    ["acme", null, ["acme"], false],
    ["acme", "viewer", [], true],
    ["acme", "viewer", ["other", "acme"], true],
    [null, "viewer", [], true],
    [null, "admin", ["other"], true],
  ])("who is in %s as %s sees one of %j: %s", (organizationId, role, organizations, sees) => {
    expect(seesServer(principal({ organizationId, role }), server(...organizations))).toBe(sees);
  });

  it.each<[string | null, Role, string[], boolean]>([
    ["acme", "editor", ["acme"], false],
    ["acme", "admin", [], false],
    ["acme", "admin", ["other"], false],
    ["acme", "admin", ["acme", "other"], false],
    [null, "editor", [], false],
    ["acme", "admin", ["acme"], true],
    [null, "admin", ["acme", "other"], true],
    [null, "admin", [], true],
  ])("who is in %s as %s manages one of %j: %s", (organizationId, role, organizations, manages) => {
    const who = principal({ organizationId, role });
    expect(managesServer(who, server(...organizations))).toBe(manages);
  });

  it("are the same, with the same lists, to all of one sight", () => {
    const kinds = [[], ["acme"], ["other"], ["acme", "other"], ["third"]];
    const seen = (who: Principal) =>
      JSON.stringify([
        kinds.map((organizations) => seesServer(who, server(...organizations))),
        mayAs(who, "viewer") && mayAs(who, "editor"),
      ]);
    const bySight = new Map<string, Set<string>>();
    for (const who of everybody) {
      const sight = sightOf(who);
      bySight.set(sight, (bySight.get(sight) ?? new Set()).add(seen(who)));
    }
    for (const alike of bySight.values()) expect(alike.size).toBe(1);
    // Everything, and twice each: of acme, of other, of none; and nothing.
    expect(bySight.size).toBe(8);
  });
});

function refusal(more: Partial<Principal>, needed: Role = "editor", what = "This") {
  try {
    requireRole(principal(more), needed, what);
    return undefined;
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it throws nothing else
    const { code, message, hint } = error as AppError;
    return { code, message, hint };
  }
}

describe("a refusal", () => {
  it("says what it is about, which role that needs, which is held, and who can grant it", () => {
    expect(refusal({}, "editor", 'Tool "files__write" changes things, so it')).toEqual({
      code: "forbidden",
      message:
        'Tool "files__write" changes things, so it needs the role editor; yours in acme is viewer (an administrator of acme can grant it)',
      hint: "agent member set ada acme editor",
    });
    expect(refusal({ role: null })).toEqual({
      code: "forbidden",
      message:
        "This needs the role editor; you have none in acme (an administrator of acme can grant it)",
      hint: "agent member set ada acme editor",
    });
    expect(refusal({ organizationId: null }, "admin")).toEqual({
      code: "forbidden",
      message: "This needs the role admin; yours is viewer (the owner of the gateway can grant it)",
      hint: "agent token create --role admin",
    });
    expect(refusal({ method: "token" })?.hint).toBe(
      "A static token's role stands in the configuration of the gateway",
    );
    expect(refusal({ scopes: ["metrics"], role: "admin" })).toEqual({
      code: "forbidden",
      message: "This is beyond this token's scopes",
      hint: "The token is good for: metrics",
    });
  });

  it("names the token where that is what is limited, and no role to grant", () => {
    expect(refusal({ userRole: "editor" })).toEqual({
      code: "forbidden",
      message:
        "This needs the role editor; this token is limited to viewer, its user in acme is editor",
      hint: "agent token create --user ada --organization acme --role editor",
    });
    expect(refusal({ organizationId: null, userRole: "admin", isLocalOwner: true })).toEqual({
      code: "forbidden",
      message: "This needs the role editor; this token is limited to viewer, its user is admin",
      hint: "agent token create --role editor",
    });
    // Neither may: first it is the user's.
    expect(refusal({ userRole: "editor" }, "admin")).toMatchObject({
      message:
        "This needs the role admin; yours in acme is editor (an administrator of acme can grant it)",
      hint: "agent member set ada acme admin",
    });
  });

  it("gives a command that does nothing else, whatever the ids are", () => {
    expect(refusal({ userId: "a b'; rm x" })?.hint).toContain(`member set 'a b'\\''; rm x' acme`);
    expect(refusal({ organizationId: "a\nb" })?.message).toContain("yours in a b is viewer");
  });

  it("is none for who may", () => {
    expect(refusal({ role: "editor" })).toBeUndefined();
    expect(refusal({ role: "admin", organizationId: null })).toBeUndefined();
  });
});
