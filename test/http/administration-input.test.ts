import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startAdministration } from "./administration-server.ts";
import type { AdministrationServer } from "./administration-server.ts";
import { idsOf } from "./answer-parts.ts";
import type { Answer, Question } from "./support.ts";

let world: AdministrationServer;
beforeEach(async () => {
  world = await startAdministration();
});
afterEach(() => world.server.close(0));

const admin = "/api/v1/admin";
const ask = (path: string, question?: Question): Promise<Answer> =>
  world.ask("owner", path, question);
const post = (path: string, body?: object): Promise<Answer> =>
  ask(path, { method: "POST", ...(body === undefined ? {} : { body }) });

const usage = { error: { code: "usage" } };

describe("bad input", () => {
  const injections = [
    "'; DROP TABLE users;--",
    "../../etc/passwd",
    "a\r\nSet-Cookie: x=1",
    "\u001b[2J",
    "Ann",
    "-ann",
    "ann ",
    "",
    "a".repeat(101),
    "\u202eann",
    "__proto__",
  ];

  it.each(injections)("as an id is none: %j", async (id) => {
    for (const plural of ["organizations", "users"]) {
      const added = await post(`${admin}/${plural}`, { id });
      expect([added.status, added.json]).toMatchObject([400, usage]);
      const before = idsOf(await ask(`${admin}/${plural}`), plural);
      for (const path of [encodeURIComponent(id), `${encodeURIComponent(id)}/restore`]) {
        const answer = await ask(`${admin}/${plural}/${path}`, {
          method: path.endsWith("e") ? "POST" : "DELETE",
        });
        expect([400, 404, 405]).toContain(answer.status);
      }
      expect(idsOf(await ask(`${admin}/${plural}`), plural)).toEqual(before);
    }
  });

  it.each(["a\r\nb", "\u001b]0;title\u0007", "\u0000", "   ", "", "n".repeat(401), "\ud800"])(
    "as a name is none: %j",
    async (name) => {
      for (const [path, body] of [
        ["users", { id: "ann", name }],
        ["organizations", { id: "acme", name }],
        ["tokens", { name, user: "viewer-a", organization: "a" }],
      ] as const) {
        const answer = await post(`${admin}/${path}`, body);
        expect([answer.status, answer.json]).toMatchObject([400, usage]);
        expect(answer.text).not.toMatch(/[\p{Cc}]/u);
      }
    },
  );

  it.each<[string, string, object]>([
    ["POST", "users", { id: 5 }],
    ["POST", "users", { id: "ann", name: null }],
    ["POST", "users", { id: "ann", role: "admin" }],
    ["POST", "users", { id: "ann", deletedAt: null }],
    ["POST", "users", []],
    ["POST", "users", [{ id: "ann" }]],
    ["POST", "organizations", { name: "Acme" }],
    ["POST", "users/viewer-a/restore", { id: "viewer-b" }],
    ["PUT", "organizations/a/members/viewer-a", {}],
    ["PUT", "organizations/a/members/viewer-a", { role: "owner" }],
    ["PUT", "organizations/a/members/viewer-a", { role: ["admin"] }],
    ["PUT", "organizations/a/members/viewer-a", { role: "viewer", organization: "b" }],
    ["DELETE", "organizations/a/members/viewer-a", { force: true }],
    ["POST", "tokens", { name: "t", user: "viewer-a" }],
    ["POST", "tokens", { name: "t", organization: "a" }],
    ["POST", "tokens", { name: "t", expiresInSeconds: 0 }],
    ["POST", "tokens", { name: "t", expiresInSeconds: -5 }],
    ["POST", "tokens", { name: "t", expiresInSeconds: 1.5 }],
    ["POST", "tokens", { name: "t", expiresInSeconds: 1e12 }],
    ["POST", "tokens", { name: "t", expiresInSeconds: "3600" }],
    ["POST", "tokens", { name: "t", scopes: "metrics" }],
    ["POST", "tokens", { name: "t", scopes: Array.from({ length: 21 }, () => "metrics") }],
    ["POST", "tokens", { name: "t", kind: "cli" }],
    ["POST", "tokens", { name: "t", isLocalOwner: true }],
    ["POST", "purge", {}],
    ["POST", "purge", { before: 0 }],
    ["POST", "purge", { before: "yesterday" }],
    ["POST", "purge", { before: "2026-02-30" }],
    ["POST", "purge", { before: "2026-01-01T00:00:00" }],
    ["POST", "purge", { before: "01/02/2026" }],
    ["POST", "purge", { before: ["2020-01-01"] }],
    ["POST", "servers/one/restore", { to: 1 }],
  ])("in a body is refused: %s %s %j", async (method, path, body) => {
    const answer = await ask(`${admin}/${path}`, { method, body });
    expect([answer.status, answer.json]).toMatchObject([400, usage]);
  });

  it.each([
    `${admin}/users?limit=0`,
    `${admin}/users?limit=1001`,
    `${admin}/users?limit=-1`,
    `${admin}/users?limit=1e2`,
    `${admin}/users?limit=${"9".repeat(400)}`,
    `${admin}/users?limit=`,
    `${admin}/users?limit=1&limit=2`,
    `${admin}/users?limit[]=1`,
    `${admin}/users?deleted=1`,
    `${admin}/users?after=${encodeURIComponent("a'--")}`,
    `${admin}/users?odd=1`,
    `${admin}/users?__proto__=1`,
    `${admin}/users?constructor=1`,
    `${admin}/members?after=a`,
    `${admin}/members?after=a/b/c`,
    `${admin}/members?organization=A`,
    `${admin}/tokens?after=${encodeURIComponent("../x")}`,
    `${admin}/tokens?user=`,
    `${admin}/tokens?organization=a`,
    `${admin}/history?entity=secrets`,
    `${admin}/history?before=abc`,
    `${admin}/history?before=-1`,
    `${admin}/history?before=99999999999999999999`,
    `${admin}/history?after=1`,
    "/api/v1/audit?order=random",
    "/api/v1/audit?after=x",
    "/api/v1/audit?after=1.5",
    "/api/v1/audit?since=now",
    "/api/v1/audit?since=1700000000",
    "/api/v1/audit?until=2026-13-01",
    "/api/v1/audit?until=2026-01-01T25:00:00Z",
    "/api/v1/audit?until=2026-01-01%20OR%201=1",
    "/api/v1/audit?status=ok",
    "/api/v1/audit?tool=",
    `/api/v1/audit?tool=${"*a".repeat(400)}`,
    "/api/v1/audit?limit=5000",
    "/api/v1/audit?user=a&user=b",
    "/api/v1/audit?format=csv",
    "/metrics?name=x",
  ])("in a query is refused: %s", async (path) => {
    const answer = await ask(path);
    expect([answer.status, answer.json]).toMatchObject([400, usage]);
    expect(answer.text.length).toBeLessThan(600);
  });

  it.each([
    ["PATCH", `${admin}/users`, "GET, HEAD, POST"],
    ["PUT", `${admin}/users/viewer-a`, "DELETE"],
    ["GET", `${admin}/users/viewer-a`, "DELETE"],
    ["GET", `${admin}/purge`, "POST"],
    ["POST", "/api/v1/audit", "GET, HEAD"],
    ["DELETE", `${admin}/history`, "GET, HEAD"],
    ["POST", "/metrics", "GET, HEAD"],
    ["GET", "/servers/one/restart", "POST"],
  ])("is a method that a path does not have: %s %s", async (method, path, allow) => {
    const answer = await ask(path, { method });
    expect([answer.status, answer.json]).toMatchObject([405, usage]);
    expect(answer.headers["allow"]?.split(", ").toSorted().join(", ")).toBe(allow);
  });

  it("is a body that is too large, of another type, or no JSON", async () => {
    const url = `${admin}/users`;
    const json = { "content-type": "application/json" };
    const send = (body: string, headers: Record<string, string>): Promise<Answer> =>
      ask(url, { method: "POST", body, headers });
    const huge = JSON.stringify({ id: "ann", name: "n".repeat(5 * 1024 * 1024) });
    expect((await send(huge, json)).status).toBe(413);
    expect((await send('{"id":"ann"}', { "content-type": "text/plain" })).status).toBe(415);
    expect(
      (await send("id=ann", { "content-type": "application/x-www-form-urlencoded" })).status,
    ).toBe(415);
    expect((await send('{"id":"ann"', json)).status).toBe(400);
    expect((await send('{"__proto__":{"id":"ann"}}', json)).status).toBe(400);
    expect((await send("[".repeat(100_000), json)).status).toBe(400);
    expect((await send("", json)).status).toBe(400);
    expect(idsOf(await ask(`${admin}/users?limit=1000`), "users")).not.toContain("ann");
  });

  it("is nothing below the folder", async () => {
    for (const path of [
      admin,
      `${admin}/`,
      `${admin}/nothing`,
      `${admin}/users/`,
      `${admin}//users`,
    ]) {
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
      expect([path, (await world.ask(undefined, path)).status]).toEqual([path, 401]);
    }
  });
});
