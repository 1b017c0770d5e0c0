import { userInfo } from "node:os";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mintLocalToken } from "../../src/runtime/mint-local-token.ts";
import { readRuntimeFile } from "../../src/runtime/runtime-file.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { restClient } from "./support/rest.ts";
import { echoServer } from "./support/team.ts";

const staticToken = "static-token-of-the-only-way-in";

let home: Home;
let gateway: RunningGateway;
beforeEach(async () => {
  home = createHome();
  gateway = await startGateway(home, {
    auth: {
      type: "token",
      options: { tokens: [{ name: "ci", token: staticToken, role: "viewer" }] },
    },
    mcpServers: { echo: echoServer("echo") },
  });
});
afterEach(async () => {
  await gateway.stop();
  home.remove();
});

function agent(...args: string[]): Promise<AgentResult> {
  return runAgent(args, { home });
}

describe("where static tokens are the only way in", () => {
  test("the machine's owner makes the first organisation, user and member, and reads the audit", async () => {
    expect(await agent("org", "add", "acme", "--name", "Acme Ltd")).toMatchObject({ code: 0 });
    expect(await agent("user", "add", "ann@example.com")).toMatchObject({ code: 0 });
    const member = ["member", "set", "ann@example.com", "acme", "editor"];
    expect(await agent(...member)).toMatchObject({ code: 0 });
    const listed = await agent("member", "list", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { organization: "acme", user: "ann@example.com", role: "editor" },
    ]);
    expect(await agent("audit", "--json")).toMatchObject({ code: 0, stdout: "[]\n" });
    const history = JSON.parse((await agent("history", "--entity", "user", "--json")).stdout);
    expect(history).toMatchObject([{ actor: "user", user_id: userInfo().username }]);
    // None of it needed, or left, a profile or a token.
    expect((await agent("auth", "token")).stdout).toBe("");
    const tokens = await agent("token", "list", "--json");
    expect(JSON.parse(tokens.stdout)).toEqual([]);
  });

  test("a token in the environment is what counts, and a viewer's makes nobody", async () => {
    const env = { ONEDOOR_TOKEN: staticToken };
    const refused = await runAgent(["org", "add", "acme", "--json"], { home, env });
    expect(refused).toMatchObject({ code: 4, stdout: "" });
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "forbidden" } });
    expect((await agent("org", "list", "--json")).stdout.trim()).toBe("[]");
  });

  test("the local proof gives no token for anything else", async () => {
    expect(await agent("auth", "login", "--local")).toMatchObject({ code: 2, stdout: "" });
    const found = await readRuntimeFile(home.stateDir);
    if (found.kind !== "running") throw new Error(found.kind);
    const signal = AbortSignal.timeout(10_000);
    await expect(mintLocalToken(found.record, signal)).rejects.toThrow(/HTTP 403/u);
    const { token } = await mintLocalToken(found.record, signal, "administration");
    const rest = restClient(gateway.url, token);
    for (const path of [
      "/api/v1/admin/organizations",
      "/api/v1/admin/users",
      "/api/v1/admin/members",
      "/api/v1/admin/tokens",
      "/api/v1/admin/history",
      "/api/v1/audit",
    ]) {
      expect([path, (await rest("GET", path)).status]).toEqual([path, 200]);
    }
    for (const [method, path, body] of [
      ["POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/list" }],
      ["GET", "/sse"],
      ["GET", "/servers"],
      ["POST", "/servers/echo/restart"],
      ["GET", "/api/v1/inspect"],
      ["GET", "/api/v1/instructions"],
      ["POST", "/api/v1/tools/call", { server: "echo", tool: "read", arguments: {} }],
      ["GET", "/metrics"],
      ["GET", "/nothing-there"],
    ] as const) {
      const answer = await rest(method, path, body, {
        accept: "application/json, text/event-stream",
      });
      expect([path, answer.status]).toEqual([path, 401]);
    }
    expect((await rest("GET", "/auth/status")).status).toBe(401);
    // It is nobody's in a token list, and not written down anywhere.
    expect((await rest("GET", "/api/v1/admin/tokens?deleted=true")).body.tokens).toEqual([]);
  });

  test("no gateway: exit 3", async () => {
    await gateway.stop();
    for (const args of [
      ["org", "list"],
      ["user", "add", "ann"],
      ["audit"],
      ["history"],
      ["token", "list"],
    ]) {
      expect([args, (await agent(...args)).code]).toEqual([args, 3]);
    }
  });
});
