import { describe, expect, it } from "vitest";
import type { AppError } from "../../src/core/errors.ts";
import { InsufficientScope } from "../../src/core/insufficient-scope.ts";
import {
  asItsUser,
  credentialRole,
  isGatewayAdministrator,
  managesServer,
  mayAs,
  mayTheSame,
  requireRole,
  requireWatcher,
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
const server = (...organizations: string[]) => serverOf("one", ["red"], organizations);
const serverOf = (name: string, tags: string[], organizations: string[]) => ({
  name,
  tags,
  access: { read: [], write: [], organizations, trustHints: true },
});
const places = [null, "acme", "other"];
const everybody = places.flatMap((organizationId) =>
  [null, ...roles].flatMap((role) =>
    [
      [],
      ["metrics"],
      ["server:one"],
      ["server:two", "role:viewer"],
      ["tag:red", "tag:blue"],
      ["role:viewer"],
      ["role:viewer", "role:admin"],
      ["something:else"],
    ].flatMap((scopes) => [
      principal({ organizationId, role, scopes }),
      principal({ organizationId, role, userRole: "admin", scopes }),
    ]),
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
    const kinds = [[], ["acme"], ["other"], ["acme", "other"], ["third"]].flatMap((organizations) =>
      ["one", "two", "three"].flatMap((name) =>
        [[], ["red"], ["blue", "red"], ["green"]].map((tags) =>
          serverOf(name, tags, organizations),
        ),
      ),
    );
    const seen = (who: Principal) =>
      JSON.stringify([
        kinds.map((each) => seesServer(who, each)),
        mayAs(who, "viewer") && mayAs(who, "editor"),
      ]);
    const bySight = new Map<string, Set<string>>();
    for (const who of everybody) {
      const sight = sightOf(who);
      bySight.set(sight, (bySight.get(sight) ?? new Set()).add(seen(who)));
    }
    for (const alike of bySight.values()) expect(alike.size).toBe(1);
    // By what it lists (2), whose it is (acme, other, none, everywhere), and what the scopes leave of that.
    const all = [...bySight.keys()].filter(
      (sight) => sight !== "nothing" && !sight.includes("within"),
    );
    expect(all).toHaveLength(8);
    expect(bySight.get("nothing")?.size).toBe(1);
  });
});

function refusal(more: Partial<Principal>, needed: Role = "editor", what = "This") {
  try {
    requireRole(principal(more), needed, what);
    return undefined;
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it throws nothing else
    const { code, message, hint } = error as AppError;
    const scopes = error instanceof InsufficientScope ? { scopes: error.scopes } : {};
    return { code, message, hint, ...scopes };
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
      hint: "agent token create --name <name> --role admin",
    });
    expect(refusal({ method: "token" })).toMatchObject({
      message: expect.stringContaining("(the owner of the gateway can grant it)"),
      hint: "A static token's role stands in the configuration of the gateway",
    });
    expect(refusal({ scopes: ["metrics"], role: "admin" })).toEqual({
      code: "forbidden",
      message: "This is beyond this token's scopes (metrics): it needs role:editor",
      hint: "agent token create --name <name> --user ada --organization acme --scope role:editor",
      scopes: ["role:editor"],
    });
  });

  it("names the token where that is what is limited, and no role to grant", () => {
    expect(refusal({ userRole: "editor" })).toEqual({
      code: "forbidden",
      message:
        "This needs the role editor; this token is limited to viewer, its user in acme is editor",
      hint: "agent token create --name <name> --user ada --organization acme --role editor",
      scopes: ["role:editor"],
    });
    expect(refusal({ organizationId: null, userRole: "admin", isLocalOwner: true })).toEqual({
      code: "forbidden",
      message: "This needs the role editor; this token is limited to viewer, its user is admin",
      hint: "agent token create --name <name> --role editor",
      scopes: ["role:editor"],
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

describe("scopes", () => {
  const files = { name: "files", tags: ["disk"] };
  /** What is missing for something of the server `files`. */
  const lacks = (scopes: string[], needed: Role, more: Partial<Principal> = {}) => {
    try {
      const who = principal({ role: "editor", scopes, ...more });
      requireRole(who, needed, "This", files);
      return "nothing";
    } catch (error) {
      return error instanceof InsufficientScope ? error.scopes.join(" ") : "a role";
    }
  };

  it.each<[string[], Role, string]>([
    // The role that is needed is the user's to hold, whatever the scopes are.
    [["server:files"], "admin", "a role"],
    [["metrics"], "admin", "a role"],
    // All at once, and nothing that is not limited.
    [["server:db", "role:viewer"], "editor", "server:files role:editor"],
    [["server:db", "role:viewer"], "viewer", "server:files role:viewer"],
    [["server:db"], "editor", "server:files"],
    [["server:db"], "viewer", "server:files"],
    [["tag:db"], "editor", "server:files"],
    [["server:files", "role:viewer"], "editor", "server:files role:editor"],
    [["tag:disk", "role:viewer"], "editor", "server:files role:editor"],
    [["role:viewer"], "editor", "role:editor"],
    [["metrics"], "editor", "server:files role:editor"],
    [["metrics"], "viewer", "server:files role:viewer"],
    [["something:else"], "viewer", "server:files role:viewer"],
    [["role:owner"], "viewer", "server:files role:viewer"],
    [["server:Files", "server:file", "server:files ", "tag:files"], "viewer", "server:files"],
    // What is covered.
    [["server:files"], "editor", "nothing"],
    [["server:db", "server:files"], "editor", "nothing"],
    [["tag:disk"], "editor", "nothing"],
    [["role:viewer"], "viewer", "nothing"],
    [["role:viewer", "role:editor"], "editor", "nothing"],
    [["role:admin"], "editor", "nothing"],
    [["metrics", "server:files"], "editor", "nothing"],
    [["something:else", "tag:disk"], "editor", "nothing"],
  ])("of a token with %j that needs %s: %s", (scopes, needed, missing) => {
    expect(lacks(scopes, needed)).toBe(missing);
  });

  it("of servers let nobody administer, whatever its user holds", () => {
    for (const scopes of [["server:files"], ["tag:disk", "role:admin"]]) {
      const own = { role: "admin", scopes } as const;
      expect(mayAs(principal(own), "admin")).toBe(false);
      expect(mayAs(principal(own), "editor")).toBe(true);
      expect(isGatewayAdministrator(principal({ ...own, organizationId: null }))).toBe(false);
      expect(managesServer(principal(own), server("acme"))).toBe(false);
      expect(lacks(scopes, "admin", { role: "admin" })).toBe("role:admin");
    }
    expect(mayAs(principal({ role: "admin", scopes: ["role:admin"] }), "admin")).toBe(true);
  });

  it("of servers show no server that the user does not see", () => {
    const scopes = ["server:one", "tag:red"];
    expect(seesServer(principal({ scopes }), server("other"))).toBe(false);
    expect(seesServer(principal({ scopes, organizationId: null }), server("other"))).toBe(false);
    const owner = { organizationId: null, role: "admin", scopes } as const;
    expect(seesServer(principal(owner), server("other"))).toBe(true);
    expect(seesServer(principal({ ...owner, scopes: ["role:viewer"] }), server("other"))).toBe(
      true,
    );
    expect(seesServer(principal({ ...owner, role: null, scopes }), server())).toBe(false);
  });

  it.each<[Role | null, Role | null, string[], Role | null]>([
    [null, null, ["role:admin"], null],
    ["viewer", null, ["role:admin"], "viewer"],
    ["admin", null, [], "admin"],
    ["admin", "viewer", [], "viewer"],
    ["admin", null, ["role:viewer"], "viewer"],
    ["admin", "viewer", ["role:editor"], "viewer"],
    ["admin", "editor", ["role:viewer", "role:editor"], "editor"],
    ["admin", null, ["server:x"], "editor"],
    ["viewer", "admin", ["server:x"], "viewer"],
    ["admin", null, ["metrics"], null],
    ["admin", null, ["else"], null],
  ])("and a user who is %s, with a token for %s and %j: %s", (held, limit, scopes, role) => {
    const got = credentialRole(held, { limit, scopes });
    expect(got.role).toBe(role);
    expect(got.userRole ?? got.role).toBe(held);
    const user = asItsUser(principal({ ...got, scopes }));
    expect([user.role, user.userRole, user.scopes]).toEqual([held, undefined, []]);
  });

  it("are what tells two apart who are one user", () => {
    const one = principal({ role: "editor" });
    expect(mayTheSame(one, { ...one })).toBe(true);
    for (const other of [
      { scopes: ["server:x"] },
      { role: "admin" as const },
      { organizationId: "b" },
    ]) {
      expect(mayTheSame(one, { ...one, ...other })).toBe(false);
    }
  });
});

const watching = (more: Partial<Principal>) => {
  try {
    requireWatcher(principal({ organizationId: null, role: "admin", ...more }));
    return "read";
  } catch (error) {
    return error instanceof InsufficientScope ? error.scopes.join(" ") : "refused";
  }
};

describe("the metrics", () => {
  it.each<[Partial<Principal>, string]>([
    [{ organizationId: "acme", scopes: ["metrics"] }, "refused"],
    [{ role: "editor", scopes: ["metrics"] }, "refused"],
    [{ role: null, scopes: ["metrics"] }, "refused"],
    [{ scopes: ["role:viewer"] }, "metrics"],
    [{ scopes: ["server:x", "role:admin"] }, "metrics"],
    [{ role: "viewer", userRole: "admin" }, "metrics"],
    [{ scopes: ["else"] }, "metrics"],
    [{ scopes: ["metrics"] }, "read"],
    [{ role: null, userRole: "admin", scopes: ["metrics"] }, "read"],
    [{ scopes: ["role:admin"] }, "read"],
    [{}, "read"],
  ])("are, with %j: %s", (more, what) => {
    expect(watching(more)).toBe(what);
  });
});

describe("who is let in by what an issuer says", () => {
  const outside = ["jwt", "bearer", "oauth"] as const;

  it.each(outside)("is told to map a role for type %s, and of no command", (method) => {
    const refused = refusal({ method });
    expect(refused?.message).toContain("(the owner of the gateway can grant it)");
    expect(refused?.hint).toMatch(/map it to editor by "roles".*auth type "\w+" in the conf/u);
    expect(refused?.hint).not.toContain("agent ");
  });

  it("is told what is missing where nothing is mapped", () => {
    const refused = refusal({ method: "jwt", role: null, organizationId: null }, "viewer");
    expect(refused).toEqual({
      code: "forbidden",
      message: "This needs the role viewer; you have none (the owner of the gateway can grant it)",
      hint: 'No organisation and role here follow from what the issuer says: see "claims", "organization", "roles" and "role" of auth type "jwt" in the configuration',
    });
  });

  it("gets another token from the issuer", () => {
    expect(refusal({ method: "oauth", role: "editor", scopes: ["role:viewer"] })).toMatchObject({
      hint: "Ask the authorization server for a token with the scopes: role:editor",
      scopes: ["role:editor"],
    });
  });

  it("may have come with a password: then it is said which", () => {
    expect(refusal({ method: "simple" })?.hint).toBe("agent member set ada acme editor");
    expect(refusal({ method: "simple", mapped: true })?.hint).toContain('auth type "simple"');
  });
});
