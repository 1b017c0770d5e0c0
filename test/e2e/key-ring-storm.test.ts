import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sendJson, startFakeServer } from "../client/support/fake-server.ts";
import type { FakeServer } from "../client/support/fake-server.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

// src/profiles alone, with far more operations, is in test/profiles and test/keychain; this is the whole program.

let home: Home;
/** A gateway whose refresh tokens are good once, for ever. */
let server: FakeServer;
/** Access tokens that were given, and the refresh token that came with each. */
const given = new Map<string, string>();
let shownTwice: string[];

beforeEach(async () => {
  home = createHome();
  given.clear();
  shownTwice = [];
  const used = new Set<string>();
  server = await startFakeServer(({ path, headers, body }, response) => {
    const good = given.has(headers.authorization?.replace("Bearer ", "") ?? "");
    const ways = [{ type: "simple", description: "" }];
    if (path === "/status") sendJson(response, 200, { name: "onedoor" });
    else if (path === "/auth") sendJson(response, 200, { required: true, ways });
    else if (path === "/auth/login") {
      const shown = /"refresh_token":"([^"]+)"/u.exec(body)?.[1];
      if (shown !== undefined && used.has(shown)) shownTwice.push(shown);
      if (shown !== undefined) used.add(shown);
      const token = `od_access_${given.size}`;
      given.set(token, `refresh_${given.size}`);
      const session = { access_token: token, refresh_token: given.get(token) };
      sendJson(response, 200, { ...session, token_type: "bearer", expires_in: 3600 });
    } else if (path === "/auth/status" && good) {
      sendJson(response, 200, { authenticated: true, user: { id: "a", name: "alice" } });
    } else if (path === "/auth/logout" && good) sendJson(response, 200, { revoked: true });
    else sendJson(response, 401, {});
  });
});
afterEach(async () => {
  await server.close();
  home.remove();
});

function agent(args: string, stdin?: string): Promise<AgentResult> {
  return runAgent(args.split(" "), {
    home,
    ...(stdin !== undefined && { stdin: { text: stdin } }),
  });
}

const names = ["one", "two", "three"];
/** In turn, on all profiles in turn. */
const kinds = ["refresh", "login", "refresh", "refresh", "login", "refresh", "logout"];
const commands: Record<string, { codes: number[]; run: (name: string) => Promise<AgentResult> }> = {
  login: {
    codes: [0],
    run: (name) =>
      agent(
        `auth login --url ${server.url} --profile ${name} --email a@example.com --timeout 120`,
        "password\n",
      ),
  },
  // 4: somebody has signed this profile out.
  refresh: {
    codes: [0, 4],
    run: (name) => agent(`auth refresh --url ${server.url} --profile ${name} --timeout 120`),
  },
  logout: {
    codes: [0],
    run: (name) => agent(`auth logout --url ${server.url} --profile ${name} --timeout 120`),
  },
};

test("50 commands at a time that log in, refresh and log out for 10 s leave every profile whole", async () => {
  for (const name of names) await commands["login"]?.run(name);
  const wrong: unknown[] = [];
  const done: Record<string, number> = {};
  const end = performance.now() + 10_000;
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      for (let round = index; performance.now() < end; round += 1) {
        const kind = kinds[round % kinds.length] ?? "";
        const command = commands[kind];
        const result = await command?.run(names[round % names.length] ?? "");
        done[kind] = (done[kind] ?? 0) + (result?.code === 0 ? 1 : 0);
        if (!command?.codes.includes(result?.code ?? -1)) wrong.push({ kind, ...result });
      }
    }),
  );
  expect(wrong).toEqual([]);
  for (const kind of kinds) expect(done[kind]).toBeGreaterThan(0);
  expect(shownTwice).toEqual([]);

  // What is there belongs together, and nothing else is there.
  const folder = join(home.configDir, "profiles");
  const secrets = join(home.configDir, "secrets");
  const ids = readdirSync(secrets).toSorted();
  expect(readdirSync(folder).toSorted()).toEqual(ids.map((id) => `${id}.json`));
  for (const id of ids) {
    const [, json = ""] = readFileSync(join(secrets, id), "utf8").split(/^od1 /u);
    const { token, session } = JSON.parse(json);
    expect(given.get(token)).toBe(session.refreshToken);
  }
  for (const entry of readdirSync(home.configDir, { recursive: true, withFileTypes: true })) {
    const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
    expect(mode).toBe(entry.isDirectory() ? 0o700 : 0o600);
  }
  for (const name of names) await commands["login"]?.run(name);
  const { code, stdout, stderr } = await agent("auth status --all --json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toHaveLength(names.length);
}, 120_000);
