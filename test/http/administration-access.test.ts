import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startAdministration } from "./administration-server.ts";
import type { AdministrationServer } from "./administration-server.ts";
import type { Who } from "./organizations.ts";
import type { Answer, Question } from "./support.ts";

type Route = [
  method: string,
  path: string,
  body: object | undefined,
  /** What an administrator of organisation a gets. */
  adminA: number,
  /** What the owner of the gateway gets. */
  owner: number,
  /** What other administrators of the gateway get, where it is not the same. */
  ops?: number,
];

const members = "/api/v1/admin/organizations/a/members";
const inB = "/api/v1/admin/organizations/b/members";

const routes: Route[] = [
  ["GET", "/api/v1/admin/organizations", undefined, 200, 200],
  ["POST", "/api/v1/admin/organizations", { id: "new" }, 403, 201],
  ["DELETE", "/api/v1/admin/organizations/a", undefined, 403, 200],
  ["POST", "/api/v1/admin/organizations/gone/restore", undefined, 403, 200],
  ["GET", "/api/v1/admin/users", undefined, 200, 200],
  ["POST", "/api/v1/admin/users", { id: "new" }, 403, 201],
  ["DELETE", "/api/v1/admin/users/viewer-a", undefined, 403, 200],
  ["POST", "/api/v1/admin/users/gone/restore", undefined, 403, 200],
  ["POST", "/api/v1/admin/users/viewer-a/disable", undefined, 403, 200],
  ["POST", "/api/v1/admin/users/viewer-a/enable", undefined, 403, 200],
  ["PUT", "/api/v1/admin/users/viewer-a/password", { password: "a password" }, 403, 400],
  ["PUT", "/api/v1/admin/users/viewer-a/password", { password: "a good pass phrase" }, 403, 200],
  ["GET", "/api/v1/admin/members", undefined, 200, 200],
  ["PUT", `${members}/viewer-a`, { role: "editor" }, 200, 200],
  ["PUT", `${members}/viewer-b`, { role: "editor" }, 404, 200],
  ["PUT", `${inB}/viewer-b`, { role: "editor" }, 404, 200],
  ["DELETE", `${members}/viewer-a`, undefined, 200, 200],
  ["DELETE", `${inB}/viewer-b`, undefined, 404, 200],
  ["POST", `${members}/former/restore`, undefined, 403, 200],
  ["POST", `${inB}/former/restore`, undefined, 403, 200],
  ["GET", "/api/v1/admin/tokens", undefined, 200, 200],
  ["POST", "/api/v1/admin/tokens", { name: "t", user: "viewer-a", organization: "a" }, 201, 201],
  ["POST", "/api/v1/admin/tokens", { name: "t", user: "viewer-b", organization: "b" }, 404, 201],
  ["POST", "/api/v1/admin/tokens", { name: "t", scopes: ["metrics"] }, 403, 201, 403],
  ["POST", "/api/v1/admin/tokens/{viewerA}/rotate", undefined, 200, 200],
  ["POST", "/api/v1/admin/tokens/{adminB}/rotate", undefined, 404, 200],
  ["DELETE", "/api/v1/admin/tokens/{viewerA}", undefined, 200, 200],
  ["DELETE", "/api/v1/admin/tokens/{adminB}", undefined, 404, 200],
  ["GET", "/api/v1/admin/history", undefined, 200, 200],
  ["POST", "/api/v1/admin/servers/one/restore", undefined, 403, 202],
  ["POST", "/api/v1/admin/purge", { before: "2020-01-01" }, 403, 200],
  ["GET", "/api/v1/audit", undefined, 200, 200],
  ["GET", "/servers", undefined, 200, 200],
  ["GET", "/servers/one", undefined, 200, 200],
  ["GET", "/servers/of-b", undefined, 404, 200],
  ["POST", "/servers/of-a/restart", undefined, 202, 202],
  ["POST", "/servers/one/restart", undefined, 403, 202],
  ["POST", "/servers/of-b/restart", undefined, 404, 202],
];

const knock = (
  world: AdministrationServer,
  who: Who | undefined,
  route: Route,
): Promise<Answer> => {
  const [method, path, body] = route;
  const question: Question = { method, ...(body === undefined ? {} : { body }) };
  const { viewerA, adminB } = world.tokenIds;
  const filled = path.replace("{viewerA}", viewerA).replace("{adminB}", adminB);
  return world.ask(who, filled, question);
};

describe("who is no administrator", () => {
  let world: AdministrationServer;
  beforeAll(async () => {
    world = await startAdministration();
  });
  afterAll(() => world.server.close(0));

  const needsRole = {
    code: "forbidden",
    message: expect.stringMatching(/^This needs the role admin;.*can grant it\)$/u),
  };
  const beyondScopes = {
    code: "forbidden",
    message: expect.stringMatching(
      /^This is beyond this token's scopes \(metrics\): it needs role:admin$/u,
    ),
    scopes: ["role:admin"],
  };
  const denials: [Who, object][] = [
    ["viewerA", needsRole],
    ["editorA", needsRole],
    ["watcher", needsRole],
    ["metrics", beyondScopes],
    ["metricsA", beyondScopes],
  ];

  it.each(routes)("is refused: %s %s", async (...route) => {
    const { directory, upstreams } = world;
    const before = JSON.stringify([
      directory.organizations(),
      directory.users(),
      directory.tokens(),
    ]);
    expect((await knock(world, undefined, route)).status).toBe(401);
    for (const [who, error] of denials) {
      const answer = await knock(world, who, route);
      expect([who, answer.status, answer.json]).toMatchObject([who, 403, { error }]);
    }
    const after = JSON.stringify([
      directory.organizations(),
      directory.users(),
      directory.tokens(),
    ]);
    expect(after).toBe(before);
    expect(Object.values(upstreams).flatMap(({ told }) => told)).toEqual([]);
  });

  it("is refused before anything of the request is looked at", async () => {
    const huge = await world.ask("viewerA", "/api/v1/admin/users", {
      body: "{".repeat(100),
      headers: { "content-type": "text/html" },
    });
    expect(huge.status).toBe(403);
    expect((await world.ask("viewerA", "/api/v1/admin/users?limit=x&odd=1")).status).toBe(403);
  });
});

describe.each(routes)("%s %s", (...route) => {
  const [, , , adminA, owner, ops = owner] = route;
  it.each<[Who, number]>([
    ["adminA", adminA],
    ["owner", owner],
    ["ops", ops],
  ])("for %s: %d", async (who, status) => {
    const world = await startAdministration();
    const answer = await knock(world, who, route);
    expect([answer.status, answer.text]).toEqual([status, expect.anything()]);
    await world.server.close(0);
  });
});

describe("an administrator of one organisation", () => {
  let world: AdministrationServer;
  beforeAll(async () => {
    world = await startAdministration();
  });
  afterAll(() => world.server.close(0));

  it.each([
    "/api/v1/admin/organizations",
    "/api/v1/admin/users",
    "/api/v1/admin/members",
    "/api/v1/admin/members?deleted=true",
    "/api/v1/admin/tokens",
    "/api/v1/admin/tokens?deleted=true",
    "/api/v1/admin/history",
    "/api/v1/audit",
    "/servers",
    "/api/v1/inspect",
    "/api/v1/instructions",
  ])("finds nothing of another in %s", async (path) => {
    const mine = await world.ask("adminA", path);
    expect(mine.status).toBe(200);
    expect(mine.text).not.toMatch(/viewer-b|admin-b|of-b|Organisation b|"b"/u);
    const all = await world.ask("owner", path);
    expect(all.text).toMatch(/viewer-b|admin-b|of-b|Organisation b|"b"/u);
  });

  /** What is there, but not theirs, and what nobody has: path and body of each. */
  const strangers: [name: string, method: string, path: string, body?: object][] = [
    ["b", "PUT", "/api/v1/admin/organizations/{id}/members/admin-a", { role: "viewer" }],
    ["b", "DELETE", "/api/v1/admin/organizations/{id}/members/viewer-b"],
    ["b", "POST", "/api/v1/admin/organizations/{id}/members/former/restore"],
    ["b", "DELETE", "/api/v1/admin/organizations/{id}"],
    ["gone", "POST", "/api/v1/admin/organizations/{id}/restore"],
    ["viewer-b", "PUT", "/api/v1/admin/organizations/a/members/{id}", { role: "viewer" }],
    ["gone", "PUT", "/api/v1/admin/organizations/a/members/{id}", { role: "viewer" }],
    ["viewer-b", "DELETE", "/api/v1/admin/organizations/a/members/{id}"],
    ["viewer-b", "POST", "/api/v1/admin/organizations/a/members/{id}/restore"],
    ["viewer-b", "DELETE", "/api/v1/admin/users/{id}"],
    ["gone", "POST", "/api/v1/admin/users/{id}/restore"],
    ["{adminB}", "DELETE", "/api/v1/admin/tokens/{id}"],
    ["{revokedB}", "DELETE", "/api/v1/admin/tokens/{id}"],
    ["{adminB}", "POST", "/api/v1/admin/tokens/{id}/rotate"],
    ["b", "POST", "/api/v1/admin/tokens", { name: "t", user: "viewer-b", organization: "{id}" }],
    ["viewer-b", "POST", "/api/v1/admin/tokens", { name: "t", user: "{id}", organization: "a" }],
    ["b", "GET", "/api/v1/admin/members?organization={id}"],
    ["viewer-b", "GET", "/api/v1/admin/members?user={id}"],
    ["viewer-b", "GET", "/api/v1/admin/tokens?user={id}"],
    ["b", "GET", "/api/v1/admin/history?entity=organization&id={id}"],
    ["{adminB}", "GET", "/api/v1/admin/history?entity=token&id={id}"],
    ["one", "GET", "/api/v1/admin/history?entity=server&id={id}"],
    ["one", "POST", "/api/v1/admin/servers/{id}/restore"],
    ["b", "GET", "/api/v1/audit?organization={id}"],
    ["viewer-b", "GET", "/api/v1/audit?user={id}"],
    ["of-b", "GET", "/servers/{id}"],
    ["of-b", "POST", "/servers/{id}/restart"],
    ["of-b", "GET", "/api/v1/inspect?server={id}"],
    ["of-b", "GET", "/api/v1/inspect?server={id}&tool=echo"],
    [
      "of-b",
      "POST",
      "/api/v1/tools/call",
      { server: "{id}", tool: "echo", arguments: { message: "hi" } },
    ],
  ];

  it.each(strangers)(
    "naming %s gets what nobody's gets: %s %s",
    async (given, method, path, body) => {
      const { adminB, revokedB } = world.tokenIds;
      const theirs = given.replace("{adminB}", adminB).replace("{revokedB}", revokedB);
      // As long, and as near to what is theirs.
      const nobodys = theirs.replace(/.$/u, (end) => (end === "z" ? "y" : "z"));
      const answers: unknown[] = [];
      for (const id of [theirs, nobodys]) {
        const fill = (text: string): string => text.replaceAll("{id}", id);
        const { status, headers, text } = await world.ask("adminA", fill(path), {
          method,
          ...(body === undefined ? {} : { body: JSON.parse(fill(JSON.stringify(body))) }),
        });
        const { date: _date, ...others } = headers;
        answers.push([status, others, text.replaceAll(`"${id}\\"`, "…")]);
      }
      expect(answers[0]).toEqual(answers[1]);
      expect(world.upstreams["of-b"].requests).toEqual([]);
    },
  );
});
