import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { createPurge } from "../../../src/cli/commands/admin.ts";
import { createHistory } from "../../../src/cli/commands/history.ts";
import { createRestore } from "../../../src/cli/commands/mcp.ts";
import { createMember } from "../../../src/cli/commands/member.ts";
import { createOrg } from "../../../src/cli/commands/org.ts";
import { createTokenCommands } from "../../../src/cli/commands/token.ts";
import { createUser } from "../../../src/cli/commands/user.ts";
import { exitCodeOf } from "../../../src/cli/exit-code.ts";
import { acme, AdministrationBench, bob, change, refusal, tokenRow } from "./fake-gateway.ts";

let bench: AdministrationBench;
beforeEach(async () => {
  bench = await AdministrationBench.start();
});
afterEach(() => bench.stop());

const json = { json: true, format: "json" } as const;
const printed = (): unknown => JSON.parse(bench.stdout);

describe.each([
  ["org", "organizations", "organisation", createOrg] as const,
  ["user", "users", "user", createUser] as const,
])("agent %s", (_group, plural, one, create) => {
  it("adds", async () => {
    const { add } = create(bench.dependencies);
    bench.answer = () => [201, acme];
    await bench.run(add, { id: "acme", name: "Acme" });
    await bench.run(add, { id: "acme", ...json });
    expect(bench.asked).toEqual([
      `POST /api/v1/admin/${plural} {"id":"acme","name":"Acme"}`,
      `POST /api/v1/admin/${plural} {"id":"acme"}`,
    ]);
    const [line = "", ...rest] = bench.stdout.split("\n");
    expect(line).toBe(`Added ${one} acme`);
    expect(JSON.parse(rest.join("\n"))).toEqual(acme);
  });

  it("lists every page, those that are there or those that are removed", async () => {
    const { list } = create(bench.dependencies);
    const other = { ...acme, id: "beta", name: "\u001b[31mBeta" };
    bench.answer = ({ path }) =>
      path.includes("after=acme")
        ? [200, { [plural]: [other], next: null }]
        : [200, { [plural]: [acme], next: "acme" }];
    await bench.run(list, { deleted: false, ...json });
    expect(printed()).toEqual([acme, other]);
    expect(bench.asked).toEqual([
      `GET /api/v1/admin/${plural}?limit=1000`,
      `GET /api/v1/admin/${plural}?limit=1000&after=acme`,
    ]);
    bench.answer = () => [
      200,
      { [plural]: [{ ...acme, deletedAt: "2026-11-03T00:00:00.000Z" }], next: null },
    ];
    bench.stdout = "";
    await bench.run(list, { deleted: true });
    expect(bench.stdout).toBe("ID    NAME  REMOVED\nacme  Acme  2026-11-03 00:00 UTC\n");
    expect(bench.asked.at(-1)).toBe(`GET /api/v1/admin/${plural}?deleted=true&limit=1000`);
  });

  it("says so where there are none, with an empty array for scripts", async () => {
    const { list } = create(bench.dependencies);
    bench.answer = () => [200, { [plural]: [], next: null }];
    await bench.run(list, { deleted: false });
    expect([bench.stdout, bench.notes]).toEqual(["", [`There are no ${one}s`]]);
    await bench.run(list, { deleted: false, ...json });
    expect(printed()).toEqual([]);
  });

  it("removes and restores", async () => {
    const { remove, restore } = create(bench.dependencies);
    bench.answer = () => [200, acme];
    await bench.run(remove, { id: "acme" });
    await bench.run(restore, { id: "acme" });
    expect(bench.asked).toEqual([
      `DELETE /api/v1/admin/${plural}/acme`,
      `POST /api/v1/admin/${plural}/acme/restore`,
    ]);
    expect(bench.stdout).toBe(`Removed ${one} acme\nRestored ${one} acme\n`);
  });

  it.each(["", "Acme", "a/b", "..", "a b", "acme\n", "-acme", "a".repeat(101), "ä", "%2e%2e"])(
    "takes no id that can be none: %j",
    async (id) => {
      const { add, remove, restore } = create(bench.dependencies);
      for (const command of [add, remove, restore]) {
        expect((await bench.failure(command, { id })).code).toBe("usage");
      }
      expect(bench.asked).toEqual([]);
    },
  );
});

describe("agent member", () => {
  it("sets, lists, removes and restores", async () => {
    const { set, list, remove, restore } = createMember(bench.dependencies);
    const key = { user: "bob", organization: "acme" };
    bench.answer = ({ method }) =>
      method === "GET" ? [200, { members: [bob], next: null }] : [200, bob];
    await bench.run(set, { ...key, role: "editor" });
    await bench.run(remove, key);
    await bench.run(restore, key);
    await bench.run(list, { ...key, deleted: true });
    await bench.run(list, { deleted: false });
    const member = "/api/v1/admin/organizations/acme/members/bob";
    expect(bench.asked).toEqual([
      `PUT ${member} {"role":"editor"}`,
      `DELETE ${member}`,
      `POST ${member}/restore`,
      "GET /api/v1/admin/members?deleted=true&organization=acme&user=bob&limit=1000",
      "GET /api/v1/admin/members?limit=1000",
    ]);
    expect(bench.stdout.split("\n").slice(0, 5)).toEqual([
      "bob is editor in acme now",
      "bob is no member of acme any more",
      "bob is editor in acme again",
      "ORGANISATION  USER  ROLE    REMOVED",
      "acme          bob   editor  2026-11-01 00:00 UTC",
    ]);
  });

  it("gives JSON", async () => {
    const { set, list } = createMember(bench.dependencies);
    bench.answer = ({ method }) =>
      method === "GET" ? [200, { members: [bob], next: null }] : [200, bob];
    await bench.run(list, { deleted: false, ...json });
    expect(printed()).toEqual([bob]);
    bench.stdout = "";
    await bench.run(set, { user: "bob", organization: "acme", role: "editor", ...json });
    expect(printed()).toEqual(bob);
  });

  it("takes no ids that can be none", async () => {
    const { set, list } = createMember(bench.dependencies);
    const role = "viewer";
    for (const key of [
      { user: "..", organization: "acme" },
      { user: "bob", organization: "../users" },
    ]) {
      expect((await bench.failure(set, { ...key, role })).code).toBe("usage");
      expect((await bench.failure(list, { ...key, deleted: false })).code).toBe("usage");
    }
    expect(bench.asked).toEqual([]);
  });
});

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
    [{ ...create, user: "B", organization: "acme" }, "--user is no identifier"],
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
        "5d1f0f0e  ci    bob   acme  viewer   2027-02-01 00:00 UTC",
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

  it.each(["..", "a/b", "", "a\nb"])("takes no id that would lead elsewhere: %j", async (id) => {
    const { rotate, revoke } = createTokenCommands(bench.dependencies);
    expect((await bench.failure(rotate, { id })).code).toBe("usage");
    expect((await bench.failure(revoke, { id })).code).toBe("usage");
    expect(bench.asked).toEqual([]);
  });
});

describe("agent history", () => {
  const created = { ...change, sequence: 6, id: "c6", action: "created", before: null };
  const deleted = { ...change, sequence: 8, action: "deleted", after: null, user_id: null };

  it("shows the newest last, and what changed below each", async () => {
    bench.answer = () => [200, { changes: [deleted, change, created], next: null }];
    await bench.run(createHistory(bench.dependencies), { limit: 100 });
    expect(bench.stdout).toBe(
      [
        "TIME (UTC)           ACTOR  WHO    WHAT             ACTION",
        "2026-11-02 10:00:00  user   alice  member acme/bob  created",
        '    organization: "acme", user: "bob", role: "editor"',
        "2026-11-02 10:00:00  user   alice  member acme/bob  changed",
        '    role: "viewer" → "editor"',
        "2026-11-02 10:00:00  user   -      member acme/bob  deleted",
        "",
      ].join("\n"),
    );
  });

  it("asks for what is wanted, in parts, and gives JSON", async () => {
    bench.answer = ({ path }) =>
      path.includes("before=")
        ? [200, { changes: [created], next: null }]
        : [200, { changes: [change], next: 7 }];
    const options = { entity: "member", id: "acme/bob", limit: 5, ...json };
    await bench.run(createHistory(bench.dependencies), options);
    expect(printed()).toEqual([created, change]);
    expect(bench.asked).toEqual([
      "GET /api/v1/admin/history?entity=member&id=acme/bob&limit=5",
      "GET /api/v1/admin/history?entity=member&id=acme/bob&before=7&limit=4",
    ]);
  });

  it.each([{ limit: 0 }, { limit: 1.5 }, { limit: 100_001 }, { limit: 5, id: "x" }])(
    "refuses %j",
    async (options) => {
      const failure = await bench.failure(createHistory(bench.dependencies), options);
      expect(failure.code).toBe("usage");
      expect(bench.asked).toEqual([]);
    },
  );
});

describe("agent mcp restore", () => {
  it("restores", async () => {
    bench.answer = () => [202, { restored: "my files", from: change }];
    await bench.run(createRestore(bench.dependencies), { server: "my files" });
    expect(bench.asked).toEqual(["POST /api/v1/admin/servers/my files/restore"]);
    expect(bench.stdout).toBe("Server my files is again as it was before 2026-11-02 10:00 UTC\n");
    bench.stdout = "";
    await bench.run(createRestore(bench.dependencies), { server: "my files", ...json });
    expect(printed()).toEqual({ restored: "my files", from: change });
  });

  it.each(["..", ".", "a/b", ""])("takes no name that would lead elsewhere: %j", async (server) => {
    const failure = await bench.failure(createRestore(bench.dependencies), { server });
    expect(failure.code).toBe("usage");
    expect(bench.asked).toEqual([]);
  });
});

describe("agent admin purge", () => {
  const purged = { organizations: 1, users: 2, members: 0, tokens: 3, serverEntries: 1 };
  beforeEach(() => {
    bench.answer = () => [200, { purged }];
  });

  it("removes with --yes, and counts what it was", async () => {
    await bench.run(createPurge(bench.dependencies), { before: "30d", yes: true });
    expect(bench.asked).toEqual(['POST /api/v1/admin/purge {"before":"2026-10-22T10:00:00.000Z"}']);
    expect(bench.stdout).toBe(
      "Removed for good: 1 organisation, 2 users, 0 memberships, 3 tokens, 1 old server entry\n",
    );
    bench.stdout = "";
    await bench.run(createPurge(bench.dependencies), { before: "30d", yes: true, ...json });
    expect(printed()).toEqual({ purged });
  });

  it("does nothing unasked", async () => {
    const purge = createPurge(bench.dependencies);
    const failure = await bench.failure(purge, { before: "30d", yes: false });
    expect(failure).toMatchObject({ code: "usage" });
    expect(failure.hint).toContain("--yes removes for good: organisations, users");
    expect(failure.hint).toContain("2026-10-22 10:00 UTC");
    expect((await bench.failure(purge, { yes: true })).code).toBe("usage");
    expect((await bench.failure(purge, { before: "later", yes: true })).code).toBe("usage");
    expect(bench.asked).toEqual([]);
  });

  it.each([
    ["y\n", 1],
    ["yes\n", 1],
    ["n\n", 0],
    ["\n", 0],
    ["", 0],
  ])("asks on a terminal; %j", async (typed, requests) => {
    bench.terminal = true;
    bench.pipe(typed);
    const { context } = bench;
    const io = Object.defineProperty(context.io, "stdinIsTerminal", { value: true });
    const frame = { format: "text", json: false, quiet: false, debug: false } as const;
    const purge = createPurge(bench.dependencies);
    await purge.run({ ...frame, before: "30d", yes: false }, { ...context, io });
    expect(bench.asked).toHaveLength(requests);
    const question = bench.notes.find((note) => note.startsWith("This removes for good"));
    expect(question).toContain("Go on? [y/N]");
    expect(bench.notes.includes("Nothing was removed")).toBe(requests === 0);
  });
});

test.each([
  [400, "usage", 2],
  [403, "forbidden", 4],
  [404, "not_found", 2],
  [409, "usage", 2],
  [429, "rate_limited", 6],
  [500, "store_unavailable", 1],
  [401, "auth_rejected", 4],
])("a gateway's own refusal stays what it is: %i %s", async (status, code, exitCode) => {
  bench.answer = () => refusal(status, code, "Here is why\u001b[2J");
  const { add } = createOrg(bench.dependencies);
  const failure = await bench.failure(add, { id: "acme" });
  expect(failure.code).toBe(code);
  expect(exitCodeOf(failure.code)).toBe(exitCode);
  expect(failure.message).toContain("Here is why");
  expect(bench.stdout).toBe("");
});

describe("an answer that is none", () => {
  const hostile: readonly [string, unknown][] = [
    ["no JSON", "<html>"],
    ["null", null],
    ["an array", [acme]],
    ["an empty object", {}],
    ["no id", { ...acme, id: undefined }],
    ["a number as id", { ...acme, id: 1 }],
    ["no time", { ...acme, createdAt: "soon" }],
    ["a time that is none", { ...acme, createdAt: "1".repeat(1_000_000) }],
    ["a missing null", { ...acme, deletedAt: undefined }],
  ];
  it.each(hostile)("is refused: %s", async (_what, body) => {
    const { add, list } = createOrg(bench.dependencies);
    bench.answer = () => [200, body];
    expect((await bench.failure(add, { id: "acme" })).code).toBe("unreachable");
    bench.answer = () => [200, { organizations: [acme, body], next: null }];
    expect((await bench.failure(list, { deleted: false })).code).toBe("unreachable");
    expect(bench.stdout).toBe("");
  });

  it("is a list without end, or one that is longer than was asked for", async () => {
    const { list } = createOrg(bench.dependencies);
    bench.answer = () => [200, { organizations: [acme], next: "acme" }];
    expect((await bench.failure(list, { deleted: false })).message).toContain("without end");
    expect(bench.asked).toHaveLength(2);
    bench.answer = () => [200, { organizations: Array(1001).fill(acme), next: null }];
    expect((await bench.failure(list, { deleted: false })).code).toBe("unreachable");
  });

  it.each(["od_a b", "", "od_\u001b[2J", "od_a\nod_b", 7, null])(
    "is a token that is none: %j",
    async (token) => {
      const { create, rotate } = createTokenCommands(bench.dependencies);
      bench.answer = () => [201, { token, details: tokenRow }];
      expect((await bench.failure(create, { name: "ci", scope: [] })).code).toBe("unreachable");
      expect((await bench.failure(rotate, { id: "t1" })).code).toBe("unreachable");
      expect(bench.stdout).toBe("");
    },
  );

  it("shows what is foreign as one line", async () => {
    const { list } = createOrg(bench.dependencies);
    bench.answer = () => [
      200,
      { organizations: [{ ...acme, name: `two\r\nlines ${"x".repeat(5000)}` }], next: null },
    ];
    await bench.run(list, { deleted: false });
    expect(bench.stdout.split("\n")).toHaveLength(3);
    expect(bench.stdout.length).toBeLessThan(300);
    bench.columns = 60;
    bench.stdout = "";
    await bench.run(list, { deleted: false });
    expect(Math.max(...bench.stdout.split("\n").map((line) => line.length))).toBe(60);
  });
});
