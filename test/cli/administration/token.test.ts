import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTokenCommands } from "../../../src/cli/commands/token.ts";
import type { FakeDoor } from "../auth/bench.ts";
import { AdministrationBench, tokenRow } from "./fake-gateway.ts";

let bench: AdministrationBench;
beforeEach(async () => {
  bench = await AdministrationBench.start();
});
afterEach(() => bench.stop());

const json = { json: true, format: "json" } as const;
const printed = (): unknown => JSON.parse(bench.stdout);

const several = (scope: string): string => `--scope is several scopes in one: "${scope}"`;

describe("agent token", () => {
  const token = "od_freshly-minted-token";
  const create = { name: "ci", scope: [] };

  it("prints a fresh token alone, and what it is on stderr", async () => {
    const commands = createTokenCommands(bench.dependencies);
    bench.answer = () => [201, { token, details: tokenRow }];
    await bench.run(commands.create, {
      ...create,
      user: "bob",
      organization: "acme",
      role: "viewer",
      expires: "30d",
    });
    expect(bench.stdout).toBe(`${token}\n`);
    expect(bench.notes).toEqual([
      "Token ci (5d1f0f0e) of bob in acme, viewer; expires 2027-02-01 00:00 UTC",
    ]);
    expect(bench.asked).toEqual([
      'POST /api/v1/admin/tokens {"name":"ci","user":"bob","organization":"acme","role":"viewer","expiresInSeconds":2592000}',
    ]);
    expect(bench.secrets.mask(token)).toBe("****");
  });

  it("gives token and details as JSON; rotates", async () => {
    const commands = createTokenCommands(bench.dependencies);
    bench.answer = () => [200, { token, details: tokenRow }];
    await bench.run(commands.create, { ...create, scope: ["metrics", "metrics"], ...json });
    expect(printed()).toEqual({ token, details: tokenRow });
    bench.stdout = "";
    await bench.run(commands.rotate, { id: "5d1f0f0e" });
    expect(bench.stdout).toBe(`${token}\n`);
    expect(bench.asked).toEqual([
      'POST /api/v1/admin/tokens {"name":"ci","scopes":["metrics"]}',
      "POST /api/v1/admin/tokens/5d1f0f0e/rotate",
    ]);
  });

  it.each([
    ["never", "null"],
    ["12h", "43200"],
    ["2026-11-22", "50400"],
  ])("--expires %s", async (expires, seconds) => {
    const commands = createTokenCommands(bench.dependencies);
    bench.answer = () => [201, { token, details: { ...tokenRow, expiresAt: null } }];
    await bench.run(commands.create, { ...create, expires });
    expect(bench.asked[0]).toContain(`"expiresInSeconds":${seconds}}`);
    expect(bench.notes[0]).toContain("expires never");
  });

  it.each([
    [{ scope: [] }, "--name is missing"],
    [{ ...create, user: "bob" }, "--user and --organization go together"],
    [{ ...create, organization: "acme" }, "--user and --organization go together"],
    [{ ...create, user: "B", organization: "acme" }, '--user is no identifier: "B"'],
    [{ ...create, scope: ["tag:demo,role:viewer"] }, several("tag:demo,role:viewer")],
    [{ ...create, scope: ["metrics", "server:db tag:x"] }, several("server:db tag:x")],
    [
      { ...create, role: "viewer", scope: ["role:viewer", "role:admin"] },
      "--scope role:admin is above --role viewer",
    ],
    [{ ...create, expires: "soon" }, '--expires is no time: "soon"'],
    [{ ...create, expires: "0d" }, '--expires lies in the past: "0d"'],
    [{ ...create, expires: "2026-11-21" }, '--expires lies in the past: "2026-11-21"'],
  ])("refuses %j", async (options, message) => {
    const commands = createTokenCommands(bench.dependencies);
    expect(await bench.failure(commands.create, options)).toMatchObject({ code: "usage", message });
    expect(bench.asked).toEqual([]);
  });

  it("lists and revokes", async () => {
    const { list, revoke } = createTokenCommands(bench.dependencies);
    const scoped = { ...tokenRow, organization: null, scopes: ["metrics"], expiresAt: null };
    bench.answer = ({ method }) =>
      method === "GET" ? [200, { tokens: [tokenRow, scoped], next: null }] : [200, tokenRow];
    await bench.run(list, { revoked: false, user: "bob" });
    await bench.run(revoke, { id: "5d1f0f0e" });
    expect(bench.stdout).toBe(
      [
        "ID        NAME  USER  IN    MAY      EXPIRES",
        "5d1f0f0e  ci    bob   acme  viewer   2027-02-01",
        "5d1f0f0e  ci    bob   -     metrics  never",
        "Token ci (5d1f0f0e) is dead",
        "",
      ].join("\n"),
    );
    bench.stdout = "";
    await bench.run(list, { revoked: true, ...json });
    expect(printed()).toEqual([tokenRow, scoped]);
    expect(bench.asked).toEqual([
      "GET /api/v1/admin/tokens?user=bob&limit=1000",
      "DELETE /api/v1/admin/tokens/5d1f0f0e",
      "GET /api/v1/admin/tokens?deleted=true&limit=1000",
    ]);
  });

  it("says what a token without a role of its own may", async () => {
    const asItsUser = { ...tokenRow, role: null };
    const rows = [
      { ...asItsUser, effectiveRole: "editor" },
      { ...asItsUser, effectiveRole: null },
      asItsUser,
      { ...tokenRow, effectiveRole: "viewer" },
      { ...tokenRow, role: "admin", effectiveRole: "viewer" },
      { ...tokenRow, effectiveRole: null },
      { ...tokenRow, effectiveRole: "admin", scopes: ["metrics"] },
      { ...tokenRow, effectiveRole: "viewer", scopes: ["server:my db", "tag:x", "role:admin"] },
      { ...asItsUser, scopes: ["role:viewer", "role:editor"] },
      { ...tokenRow, role: "admin", scopes: ["role:editor", "server:db"] },
      { ...asItsUser, effectiveRole: null, scopes: ["role:editor"] },
    ];
    const { list, ...commands } = createTokenCommands(bench.dependencies);
    bench.answer = () => [200, { tokens: rows, next: null }];
    await bench.run(list, { revoked: false });
    const shown = bench.stdout.trimEnd().split("\n").slice(1);
    expect(shown.map((line) => line.slice(28, -10).trim())).toEqual([
      "editor",
      "none",
      "as its user",
      "viewer",
      "viewer (limited to admin)",
      "none (limited to viewer)",
      "metrics",
      "viewer for 'server:my db' tag:x",
      "editor",
      "editor for server:db",
      "none (limited to editor)",
    ]);
    bench.stdout = "";
    await bench.run(list, { revoked: false, ...json });
    expect(printed()).toEqual(rows);
    bench.answer = () => [201, { token, details: rows[0] }];
    await bench.run(commands.create, create);
    expect(bench.notes).toEqual([
      "Token ci (5d1f0f0e) of bob in acme, as its user; expires 2027-02-01 00:00 UTC",
    ]);
  });

  it.each([
    [{ scopes: ["metrics"] }, "for metrics alone"],
    [{ scopes: ["server:my db", "tag:x"] }, "viewer, for 'server:my db' tag:x alone"],
    [{ role: "editor", scopes: ["role:viewer"] }, "viewer"],
    [{ role: null, scopes: ["tag:x"] }, "as its user, for tag:x alone"],
  ])("says what one with scopes may: %j", async (limits, words) => {
    const commands = createTokenCommands(bench.dependencies);
    bench.answer = () => [201, { token, details: { ...tokenRow, ...limits } }];
    await bench.run(commands.create, create);
    expect(bench.notes).toEqual([
      `Token ci (5d1f0f0e) of bob in acme, ${words}; expires 2027-02-01 00:00 UTC`,
    ]);
  });

  it("says where nobody gets in with it, and not where that cannot be told", async () => {
    const commands = createTokenCommands(bench.dependencies);
    bench.answer = () => [201, { token, details: tokenRow }];
    const notes = async (door: FakeDoor, more: object = {}): Promise<string[]> => {
      bench.doors[bench.url] = door;
      bench.notes.length = 0;
      await bench.run(commands.create, { ...create, ...more });
      return bench.notes.filter((note) => note.includes("Nobody"));
    };
    const note = 'Nobody can sign in with this token until auth of the gateway lists "local"';
    expect(await notes({ ways: ["token", "jwt"] })).toEqual([note]);
    expect(await notes({ open: true })).toEqual([note]);
    expect(await notes({ ways: ["token", "local"] })).toEqual([]);
    expect(await notes({ ways: [] })).toEqual([]);
    expect(await notes({ down: true })).toEqual([]);
    expect(await notes({ ways: ["token"] }, json)).toEqual([]);
  });

  it.each([{ role: 1 }, { role: undefined }, { effectiveRole: 1 }, { effectiveRole: ["admin"] }])(
    "takes no token for one whose role is none: %j",
    async (wrong) => {
      const { list } = createTokenCommands(bench.dependencies);
      bench.answer = () => [200, { tokens: [{ ...tokenRow, ...wrong }], next: null }];
      expect((await bench.failure(list, { revoked: false })).code).toBe("unreachable");
    },
  );

  it("says what may be given for --expires in the past", async () => {
    const commands = createTokenCommands(bench.dependencies);
    const failure = await bench.failure(commands.create, { ...create, expires: "2026-11-21" });
    expect(failure.hint).toContain("from now");
  });

  it.each(["..", "a/b", "", "a\nb"])("takes no id that would lead elsewhere: %j", async (id) => {
    const { rotate, revoke } = createTokenCommands(bench.dependencies);
    expect((await bench.failure(rotate, { id })).code).toBe("usage");
    expect((await bench.failure(revoke, { id })).code).toBe("usage");
    expect(bench.asked).toEqual([]);
  });
});
