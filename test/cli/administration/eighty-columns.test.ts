import { afterEach, beforeEach, expect, it } from "vitest";
import { createAudit } from "../../../src/cli/commands/audit.ts";
import { createHistory } from "../../../src/cli/commands/history.ts";
import { createMember } from "../../../src/cli/commands/member.ts";
import { createOrg } from "../../../src/cli/commands/org.ts";
import { createTokenCommands } from "../../../src/cli/commands/token.ts";
import { createUser } from "../../../src/cli/commands/user.ts";
import { acme, AdministrationBench, auditRow, bob, change, tokenRow } from "./fake-gateway.ts";

const tokenId = "5d1f0f0e-8c3a-4d4e-9b43-6d8f4d7f0c11";
const user = "bartholomew.cubbins@example.com";
const organization = "didd";
const long = "a name that nobody would give to anything, unless to see what becomes of it";

let bench: AdministrationBench;
beforeEach(async () => {
  bench = await AdministrationBench.start();
  bench.columns = 80;
});
afterEach(() => bench.stop());

/** What was printed, each line no wider than the terminal. */
function lines(): string[] {
  const shown = bench.stdout.trimEnd().split("\n");
  expect(shown.filter((line) => line.length > 80)).toEqual([]);
  return shown;
}

it("the list of organisations", async () => {
  bench.answer = () => [200, { organizations: [{ ...acme, id: user, name: long }], next: null }];
  await bench.run(createOrg(bench.dependencies).list, { deleted: false });
  expect(lines()[1]).toMatch(/^bartholomew\.cubbins@example\.com {2}a name .*… {2}2026-11-01$/u);
});

it("the list of users", async () => {
  const row = { ...acme, id: user, name: long, passwordSetAt: null, disabledAt: acme.createdAt };
  bench.answer = () => [200, { users: [row], next: null }];
  await bench.run(createUser(bench.dependencies).list, { deleted: false });
  expect(lines()[1]).toMatch(
    /^bartholomew\.cubbins@example\.com {2}a name .*… {2}disabled {2}2026-11-01$/u,
  );
});

it("the list of members", async () => {
  bench.answer = () => [200, { members: [{ ...bob, user, organization }], next: null }];
  await bench.run(createMember(bench.dependencies).list, { deleted: false });
  expect(lines()[1]).toMatch(
    /^didd .* bartholomew\.cubbins@example\.com {2}editor {2}2026-11-01$/u,
  );
});

it.each([false, true])("the list of tokens, revoked: %j", async (revoked) => {
  const revokedAt = "2026-12-01T00:00:00.000Z";
  const row = { ...tokenRow, id: tokenId, user, organization, name: long, revokedAt };
  const limited = { ...row, name: "ci", role: "editor", effectiveRole: "viewer" };
  const own = { ...row, name: "ci", organization: null };
  bench.answer = () => [200, { tokens: [row, limited, own], next: null }];
  await bench.run(createTokenCommands(bench.dependencies).list, { revoked });
  const day = revoked ? "2026-12-01" : "2027-02-01";
  const [head, first, ...rest] = lines();
  expect(head).toMatch(revoked ? /^ID +NAME +REVOKED$/u : /^ID +NAME +EXPIRES$/u);
  expect(first).toBe(`${tokenId}  a name that nobody would give…  ${day}`);
  expect(rest.map((line) => line.replaceAll(/ {3,}/gu, "  "))).toEqual([
    `  ${user} in didd: viewer`,
    `${tokenId}  ci  ${day}`,
    `  ${user} in didd: viewer (limited to editor)`,
    `${tokenId}  ci  ${day}`,
    `  ${user}: viewer`,
  ]);
});

it("the list of tokens where it fits as it is", async () => {
  bench.answer = () => [200, { tokens: [{ ...tokenRow, id: tokenId, role: "admin" }], next: null }];
  await bench.run(createTokenCommands(bench.dependencies).list, { revoked: true });
  expect(lines()).toEqual([
    "ID                                    NAME  USER  IN    MAY    REVOKED",
    `${tokenId}  ci    bob   acme  admin  never`,
  ]);
});

it("the history, with ids that its table cannot hold below it", async () => {
  const token = { ...change, entity: "token", entity_id: tokenId, user_id: user };
  const details = { id: tokenId, name: "ci", user, organization, role: "viewer" };
  const member = { ...change, entity_id: `${organization}/${user}`, user_id: user };
  const rows = [
    { ...token, before: null, after: details, action: "created" },
    member,
    { ...change, entity: "server", entity_id: "files" },
  ];
  bench.answer = () => [200, { changes: rows.toReversed(), next: null }];
  await bench.run(createHistory(bench.dependencies), { limit: 100 });
  const [, , created, memberRow, changed, server, last] = lines();
  expect(created).toMatch(new RegExp(`^    ${tokenId}  user: "bartholomew`, "u"));
  expect(memberRow).toContain("…");
  expect(changed).toBe(`    didd/${user}  role: "viewer" → "editor"`);
  expect(server).toContain("server files");
  expect(last).toBe('    role: "viewer" → "editor"');
});

const calls = [
  auditRow,
  { ...auditRow, sequence: 2, user_id: user, client_name: "claude-desktop" },
  {
    ...auditRow,
    sequence: 3,
    tool_name: "a_server_with_a_long_name__and_a_tool_that_has_one_too",
    duration_ms: 120_000,
    client_name: long,
  },
];

it("the audit log", async () => {
  bench.answer = () => [200, { rows: calls.toReversed(), next: null }];
  await bench.run(createAudit(bench.dependencies), { follow: false });
  expect(lines()).toHaveLength(4);
});

it("the audit log that is followed, in columns that stay", async () => {
  bench.answer = ({ path }) => [
    200,
    { rows: path.includes("newest") ? calls.toReversed() : [], next: null },
  ];
  const end = new Error("enough");
  const command = createAudit(bench.dependencies, () => Promise.reject(end));
  await expect(bench.run(command, { follow: true })).rejects.toBe(end);
  const [head = "", ...rows] = lines();
  expect(rows).toHaveLength(3);
  const at = ["USER", "TOOL", "STATUS", "MS", "CLIENT"].map((label) => head.indexOf(label));
  for (const row of rows)
    expect(at.map((start) => row.slice(start - 2, start))).toEqual(at.map(() => "  "));
  expect(rows.map((row) => row.slice(at.at(-1)))).toEqual(["claude", "claude-d…", "a name t…"]);
});

it("a pipe gets the rows that are followed whole", async () => {
  bench.columns = undefined;
  bench.answer = ({ path }) => [
    200,
    { rows: path.includes("newest") ? calls.toReversed() : [], next: null },
  ];
  const end = new Error("enough");
  const command = createAudit(bench.dependencies, () => Promise.reject(end));
  await expect(bench.run(command, { follow: true })).rejects.toBe(end);
  expect(bench.stdout).toContain(user);
  expect(bench.stdout).toContain(long);
});
