import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { restClient } from "./support/rest.ts";
import { echoServer } from "./support/team.ts";

let home: Home;
let gateway: RunningGateway | undefined;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  home.remove();
});

function agent(...args: string[]): Promise<AgentResult> {
  return runAgent(args, { home });
}

/** The result of a command that must succeed. Nobody is signed in: the proof of the local owner is enough. */
// oxlint-disable-next-line typescript/no-explicit-any -- whatever a test reads of it
async function json(...args: string[]): Promise<any> {
  const { code, stdout, stderr } = await agent(...args, "--json");
  expect([args, code, stderr]).toEqual([args, 0, ""]);
  return JSON.parse(stdout);
}

interface ChangeRow {
  sequence: number;
  time: string;
  actor: string;
  user_id: string | null;
  organization_id: string | null;
  entity: string;
  entity_id: string;
  action: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}
/** Oldest first. */
const history = async (...args: string[]): Promise<ChangeRow[]> => {
  const rows: ChangeRow[] = await json("history", ...args);
  return rows.toSorted((a, b) => a.sequence - b.sequence);
};

describe("the history of who there is", () => {
  test("has a row for every change that was applied, and none for those that were not", async () => {
    gateway = await startGateway(home);
    await json("org", "add", "acme", "--name", "Acme Ltd");
    expect(await agent("org", "add", "acme")).toMatchObject({ code: 2 });
    await json("user", "add", "ann");
    await json("member", "set", "ann", "acme", "viewer");
    await json("member", "set", "ann", "acme", "editor");
    expect(await agent("member", "set", "bob", "acme", "editor")).toMatchObject({ code: 2 });
    const made = await json(
      "token",
      "create",
      "--name",
      "ci",
      "--user",
      "ann",
      "--organization",
      "acme",
    );
    const { id } = made.details;
    const again = await json("token", "rotate", id);
    await json("token", "revoke", id);
    await json("member", "remove", "ann", "acme");
    await json("member", "restore", "ann", "acme");
    await json("user", "remove", "ann");
    await json("org", "remove", "acme");
    await json("org", "restore", "acme");
    await json("user", "restore", "ann");

    const rows = await history();
    expect(rows.map(({ entity, entity_id: of, action }) => `${entity} ${of} ${action}`)).toEqual([
      "organization acme created",
      "user ann created",
      "member acme/ann created",
      "member acme/ann changed",
      `token ${id} created`,
      `token ${id} changed`,
      `token ${id} deleted`,
      "member acme/ann deleted",
      "member acme/ann restored",
      "user ann deleted",
      "organization acme deleted",
      "organization acme restored",
      "user ann restored",
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({ actor: "user", user_id: expect.any(String) });
      expect(row.time).toMatch(/^\d{4}-.*Z$/u);
      expect(row.action === "created").toBe(row.before === null);
    }
    expect(rows[3]).toMatchObject({
      organization_id: "acme",
      before: { role: "viewer" },
      after: { role: "editor" },
    });
    const text = JSON.stringify(rows);
    expect(text).not.toContain(made.token);
    expect(text).not.toContain(again.token);
    expect(text).not.toMatch(/hash/iu);
    expect(await history("--entity", "member", "--id", "acme/ann")).toHaveLength(4);
  });
});

describe("what is removed", () => {
  test("is out of every list, can be restored, and its tokens' hashes are erased at once", async () => {
    const { url } = (gateway = await startGateway(home));
    await json("org", "add", "acme");
    await json("user", "add", "ann");
    await json("member", "set", "ann", "acme", "admin");
    const { token } = await json(
      "token",
      "create",
      "--name",
      "t",
      "--user",
      "ann",
      "--organization",
      "acme",
    );
    expect(await restClient(url, token)("GET", "/auth/status")).toMatchObject({ status: 200 });
    const inDatabase = (sql: string): unknown[] => {
      const database = new Database(join(home.stateDir, "onedoor.db"), { readonly: true });
      try {
        return database.prepare(sql).raw(true).all().flat();
      } finally {
        database.close();
      }
    };
    const hashes = "SELECT hash FROM minted_tokens WHERE user_id = 'ann'";
    expect(inDatabase(hashes)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/u)]);

    await json("user", "remove", "ann");
    expect(await restClient(url, token)("GET", "/auth/status")).toMatchObject({ status: 401 });
    expect(inDatabase(hashes)).toEqual([null]);
    for (const list of ["user", "member", "token"]) expect(await json(list, "list")).toEqual([]);
    expect(await json("user", "list", "--deleted")).toMatchObject([{ id: "ann" }]);
    expect(await agent("user", "add", "ann")).toMatchObject({ code: 2 });
    expect(await agent("member", "set", "ann", "acme", "viewer")).toMatchObject({ code: 2 });

    await json("user", "restore", "ann");
    expect(await json("user", "list")).toMatchObject([{ id: "ann" }]);
    expect(await json("member", "list")).toMatchObject([{ user: "ann", role: "admin" }]);
    expect(await restClient(url, token)("GET", "/auth/status")).toMatchObject({ status: 401 });
  });

  test("is gone for good only after agent admin purge --before", async () => {
    gateway = await startGateway(home);
    await json("org", "add", "acme");
    await json("user", "add", "ann");
    await json("user", "add", "bob");
    await json("user", "remove", "ann");
    expect(await json("admin", "purge", "--before", "1h", "--yes")).toMatchObject({
      purged: { users: 0 },
    });
    await json("user", "restore", "ann");
    await json("user", "remove", "ann");
    const now = new Date(Date.now() + 1).toISOString();
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(now));
    expect(await json("admin", "purge", "--before", now, "--yes")).toMatchObject({
      purged: { users: 1, organizations: 0 },
    });
    expect(await agent("user", "restore", "ann")).toMatchObject({ code: 2 });
    expect(await json("user", "list", "--deleted")).toEqual([]);
    expect(await json("user", "list")).toMatchObject([{ id: "bob" }]);
    const [last] = (await history()).slice(-1);
    expect(last).toMatchObject({ entity: "purge", action: "purged", actor: "user" });
  });

  test("stays removed after a restart, and stays restorable", async () => {
    gateway = await startGateway(home);
    await json("org", "add", "acme");
    await json("user", "add", "ann");
    await json("member", "set", "ann", "acme", "viewer");
    await json("user", "remove", "ann");
    await gateway.stop();
    gateway = await startGateway(home);
    expect(await json("user", "list")).toEqual([]);
    await json("user", "restore", "ann");
    expect(await json("member", "list")).toMatchObject([{ user: "ann", role: "viewer" }]);
  });
});

const file = (...entries: string[]): string => `{
  // servers of the house
  "mcpServers": {
    ${entries.join(",\n    ")}
  }
}
`;
const servers = (...args: string[]): Promise<ChangeRow[]> => history("--entity", "server", ...args);

describe("the history of servers", () => {
  const secret = "literal-secret-in-the-file-42";
  const entry = (name: string, more = ""): string => {
    const { command, args }: { command?: string; args?: string[] } = echoServer(name);
    const list = (args ?? []).map((arg) => JSON.stringify(arg)).join(", ");
    return `"${name}": {
      // why ${name} is here
      "command": ${JSON.stringify(command)},
      "args": [${list}],
      "env": { "SECRET": "${secret}" }${more}
    }`;
  };
  test("has what the file changed, and agent mcp restore writes an earlier entry back", async () => {
    const path = home.writeConfiguration(file(entry("one"), entry("two")));
    gateway = await startGateway(home, readFileSync(path, "utf8"));
    expect(await agent("auth", "login")).toMatchObject({ code: 0 });
    await expect.poll(async () => (await servers()).length).toBe(2);
    const [created] = await servers("--id", "one");
    expect(created).toMatchObject({
      actor: "file",
      user_id: null,
      action: "created",
      before: null,
      after: { command: process.execPath },
    });
    expect(JSON.stringify(created)).not.toContain(secret);

    writeFileSync(path, file(entry("one", ',\n      "tags": ["new"]')));
    await expect.poll(async () => (await servers()).length).toBe(4);
    const [, changed] = await servers("--id", "one");
    expect(changed).toMatchObject({ actor: "file", action: "changed", after: { tags: ["new"] } });
    expect(await servers("--id", "two")).toMatchObject([
      { action: "created" },
      { action: "deleted", actor: "file", after: null },
    ]);
    expect(await json("inspect")).toMatchObject({ servers: [{ name: "one" }] });

    expect(await json("mcp", "restore", "two")).toMatchObject({ restored: "two" });
    const text = readFileSync(path, "utf8");
    expect(text).toContain("// servers of the house");
    expect(text).toContain("// why one is here");
    expect(text).toContain('"two"');
    expect(text).toContain(secret);
    await expect.poll(async () => (await servers("--id", "two")).length).toBe(3);
    const [, , restored] = await servers("--id", "two");
    expect(restored).toMatchObject({ actor: "user", user_id: expect.any(String) });
    await expect
      .poll(async () => (await agent("run", "two/read", "text=again")).code, { timeout: 10_000 })
      .toBe(0);

    expect(await json("mcp", "restore", "one")).toMatchObject({ restored: "one" });
    expect(readFileSync(path, "utf8")).not.toContain('"tags"');
    expect(await agent("mcp", "restore", "three")).toMatchObject({ code: 2, stdout: "" });
  });

  test("has what was changed while the gateway did not run", async () => {
    gateway = await startGateway(home, file(entry("one")));
    await expect.poll(async () => (await servers()).length).toBe(1);
    await gateway.stop();
    gateway = await startGateway(home, file(entry("one")));
    expect(await servers()).toHaveLength(1);
    await gateway.stop();
    gateway = await startGateway(home, file(entry("two")));
    await expect
      .poll(async () => (await servers()).map(({ entity_id: id, action }) => `${id} ${action}`))
      .toEqual(["one created", "one deleted", "two created"].toSorted());
  });
});
