import { afterEach, describe, expect, it } from "vitest";
import type { Logger } from "../../src/core/logger.ts";
import { silentLogger } from "../gateway/fakes.ts";
import { startAdministration } from "./administration-server.ts";
import type { AdministrationServer } from "./administration-server.ts";

let world: AdministrationServer;
afterEach(() => world.server.close(0));

async function start(): Promise<{ lines: [string, Readonly<Record<string, unknown>>][] }> {
  const lines: [string, Readonly<Record<string, unknown>>][] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields = {}) => void lines.push([message, fields]),
  };
  world = await startAdministration({ logger });
  lines.length = 0;
  return { lines };
}

const refused = "An administrative request was refused";

describe("a refused administrative request", () => {
  it("is in the log: who, what and why, and no secret", async () => {
    const { lines } = await start();
    const headers = { "x-onedoor-client": "curl\u00e9" };
    await world.ask("viewerA", "/api/v1/admin/users/viewer-b?token=not-shown", {
      method: "DELETE",
      headers,
    });
    await world.ask("adminA", "/api/v1/admin/users", { body: { id: "new" } });
    await world.ask("editorA", "/servers/one/restart", { method: "POST" });
    await world.ask(undefined, "/api/v1/audit", {
      headers: { authorization: "Bearer guessed-token" },
    });
    const peer = "127.0.0.1";
    const common = {
      organization: "a",
      client: "unknown",
      address: peer,
      peer,
      reason: expect.any(String),
    };
    expect(lines).toEqual([
      [
        refused,
        {
          ...common,
          method: "DELETE",
          path: "/api/v1/admin/users/viewer-b",
          status: 403,
          user: "viewer-a",
          client: "curl?",
        },
      ],
      [
        refused,
        { ...common, method: "POST", path: "/api/v1/admin/users", status: 403, user: "admin-a" },
      ],
      [
        refused,
        { ...common, method: "POST", path: "/servers/one/restart", status: 403, user: "editor-a" },
      ],
      [
        refused,
        {
          ...common,
          method: "GET",
          path: "/api/v1/audit",
          status: 401,
          user: null,
          organization: null,
        },
      ],
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/not-shown|guessed-token|od_/u);
  });

  it("is not what was allowed, not there or wrong, and no call of a tool", async () => {
    const { lines } = await start();
    await world.ask("owner", "/api/v1/admin/users");
    await world.ask("owner", "/api/v1/admin/users?odd=1");
    await world.ask("adminA", "/api/v1/admin/organizations/b/members/x", { method: "DELETE" });
    await world.ask(undefined, "/api/v1/inspect");
    const body = { server: "one", tool: "echo", arguments: { message: "hi" } };
    await world.ask("viewerA", "/api/v1/tools/call", { body });
    expect(lines).toEqual([]);
  });

  it("of a flood is sixty lines and one that says how many were left out", async () => {
    const { lines } = await start();
    for (let knock = 0; knock < 70; knock += 1) await world.ask(undefined, "/api/v1/audit");
    expect(lines).toHaveLength(60);
    await world.server.close(0);
    expect(lines).toHaveLength(61);
    expect(lines.at(-1)).toEqual(["More administrative requests were refused", { leftOut: 10 }]);
  });
});
