import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startAdministration } from "./administration-server.ts";
import type { AdministrationServer } from "./administration-server.ts";
import { at, idsOf } from "./answer-parts.ts";
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
const put = (path: string, body: object | string): Promise<Answer> =>
  ask(path, {
    method: "PUT",
    body,
    ...(typeof body === "string" && { headers: { "content-type": "application/json" } }),
  });
const remove = (path: string): Promise<Answer> => ask(path, { method: "DELETE" });
const isoTime: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u);

describe("organisations and users", () => {
  it.each([
    ["organizations", { id: "acme", name: "Acme Ltd." }, {}],
    [
      "users",
      { id: "ann+test@example.com", name: "Ann" },
      { passwordSetAt: null, disabledAt: null },
    ],
  ])("%s are added, listed, deleted and restored", async (plural, given, more) => {
    const folder = `${admin}/${plural}`;
    const added = await post(folder, given);
    expect([added.status, added.json]).toEqual([
      201,
      { ...given, ...more, createdAt: isoTime, deletedAt: null },
    ]);
    expect(idsOf(await ask(folder), plural)).toContain(given.id);
    const again = await post(folder, given);
    expect([again.status, again.json]).toMatchObject([409, { error: { code: "usage" } }]);

    const id = encodeURIComponent(given.id);
    const removed = await remove(`${folder}/${id}`);
    expect([removed.status, removed.json]).toEqual([
      200,
      { ...given, ...more, createdAt: isoTime, deletedAt: isoTime },
    ]);
    expect((await remove(`${folder}/${id}`)).status).toBe(404);
    expect(idsOf(await ask(folder), plural)).not.toContain(given.id);
    expect(idsOf(await ask(`${folder}?deleted=true`), plural)).toContain(given.id);
    expect((await post(folder, given)).status).toBe(409);

    const restored = await post(`${folder}/${id}/restore`, {});
    expect([restored.status, restored.json]).toEqual([200, added.json]);
    expect((await post(`${folder}/${id}/restore`)).status).toBe(409);
    expect((await post(`${folder}/nobody/restore`)).status).toBe(404);
  });

  it("are called by their id when nobody names them", async () => {
    expect((await post(`${admin}/users`, { id: "ann" })).json).toMatchObject({ name: "ann" });
    expect((await post(`${admin}/organizations`, { id: "acme" })).json).toMatchObject({
      name: "acme",
    });
  });

  it("come page by page", async () => {
    const seen: unknown[] = [];
    let after: unknown;
    do {
      const more = typeof after === "string" ? `&after=${after}` : "";
      const page = await ask(`${admin}/users?limit=3${more}`);
      expect(idsOf(page, "users").length).toBeLessThanOrEqual(3);
      seen.push(...idsOf(page, "users"));
      after = at(page, "next");
    } while (after !== null);
    expect(seen).toEqual(idsOf(await ask(`${admin}/users?limit=1000`), "users"));
    expect(seen).toHaveLength(7);
    // A page that holds exactly what is left is the last.
    expect(at(await ask(`${admin}/users?limit=7`), "next")).toBeNull();
    expect(at(await ask(`${admin}/users?limit=6`), "next")).toBe(seen[5]);
  });
});

describe("whether users get in", () => {
  const ann = { id: "ann@example.com", name: "Ann", createdAt: isoTime, deletedAt: null };
  const folder = `${admin}/users/ann%40example.com`;
  const password = "correct horse battery";
  beforeEach(async () => {
    await post(`${admin}/users`, { id: ann.id, name: ann.name });
  });

  it("is no more when they are disabled, and is again when they are enabled", async () => {
    const disabled = { ...ann, passwordSetAt: null, disabledAt: isoTime };
    for (let time = 0; time < 2; time += 1) {
      const answer = await post(`${folder}/disable`, {});
      expect([answer.status, answer.json]).toEqual([200, disabled]);
    }
    const enabled = await post(`${folder}/enable`);
    expect([enabled.status, enabled.json]).toEqual([200, { ...disabled, disabledAt: null }]);
    for (const verb of ["disable", "enable"]) {
      expect((await post(`${admin}/users/nobody/${verb}`)).status).toBe(404);
      expect((await post(`${folder}/${verb}`, { now: true })).status).toBe(400);
    }
  });

  it("goes by a password that is never said again", async () => {
    const set = await put(`${folder}/password`, { password });
    expect([set.status, set.json]).toEqual([
      200,
      { ...ann, passwordSetAt: isoTime, disabledAt: null, livePersonalTokens: 0 },
    ]);
    const said = JSON.stringify([
      set,
      await ask(`${admin}/users`),
      await ask(`${admin}/history?limit=1000`),
    ]);
    expect(said).not.toMatch(/correct horse|scrypt|hash/u);
    expect((await put(`${admin}/users/nobody/password`, { password })).status).toBe(404);
  });

  it.each<[object | string, number]>([
    [{}, 400],
    [{ password: null }, 400],
    [{ password: 123456789012 }, 400],
    [{ password: ["correct horse battery"] }, 400],
    [{ password, id: "root" }, 400],
    [{ password: "elevenchars" }, 400],
    [{ password: "ann@example.com" }, 400],
    [{ password: `${password}\n` }, 400],
    [{ password: "x".repeat(1025) }, 400],
    [{ password: "x".repeat(5_000_000) }, 413],
    [`{"password": "${password}"`, 400],
    [JSON.stringify(password), 400],
  ])("takes no password like %.40j", async (body, status) => {
    const answer = await put(`${folder}/password`, body);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error: { code: "usage" } });
    expect(JSON.stringify(answer)).not.toMatch(/correct horse|elevenchars/u);
    expect(at(await ask(`${admin}/users`), "users")).toContainEqual({
      ...ann,
      passwordSetAt: null,
      disabledAt: null,
    });
  });
});

describe("members", () => {
  const member = { organization: "a", user: "viewer-a", createdAt: isoTime };

  it("are made, changed, removed and restored", async () => {
    const path = `${admin}/organizations/a/members/viewer-a`;
    const set = await ask(path, { method: "PUT", body: { role: "editor" } });
    expect([set.status, set.json]).toEqual([200, { ...member, role: "editor", deletedAt: null }]);
    expect((await remove(path)).json).toEqual({ ...member, role: "editor", deletedAt: isoTime });
    expect((await remove(path)).status).toBe(404);
    expect((await post(`${path}/restore`)).json).toEqual(set.json);
    expect((await post(`${path}/restore`)).status).toBe(409);
  });

  it("are listed by organisation and user, page by page", async () => {
    const all = await ask(`${admin}/members?organization=a`);
    expect(idsOf(all, "members", "user")).toEqual(["admin-a", "editor-a", "viewer-a"]);
    expect(idsOf(await ask(`${admin}/members?user=viewer-b`), "members", "organization")).toEqual([
      "b",
    ]);
    const gone = await ask(`${admin}/members?deleted=true&user=former`);
    expect(idsOf(gone, "members", "organization")).toEqual(["a", "b"]);
    const first = await ask(`${admin}/members?limit=3`);
    expect(at(first, "next")).toBe("a/viewer-a");
    const second = await ask(`${admin}/members?limit=3&after=a/viewer-a`);
    expect(idsOf(second, "members", "organization")).toEqual(["b", "b", "b"]);
    expect(at(second, "next")).toBeNull();
  });

  it("may do from the next request on what they are then, and no more", async () => {
    const path = "/api/v1/admin/members";
    const setTo = (role: string): Promise<Answer> =>
      ask(`${admin}/organizations/a/members/viewer-a`, { method: "PUT", body: { role } });
    expect((await world.ask("viewerA", "/api/v1/inspect")).status).toBe(200);
    await remove(`${admin}/organizations/a/members/viewer-a`);
    expect((await world.ask("viewerA", "/api/v1/inspect")).status).toBe(401);
    expect((await world.ask("adminA", path)).status).toBe(200);
    await ask(`${admin}/organizations/a/members/admin-a`, {
      method: "PUT",
      body: { role: "viewer" },
    });
    expect((await world.ask("adminA", path)).status).toBe(403);
    expect((await setTo("viewer")).status).toBe(200);
  });
});

describe("tokens", () => {
  const wanted = { name: "CI", user: "viewer-a", organization: "a" };

  it("are made, replaced and taken back, and shown once", async () => {
    const fresh = await post(`${admin}/tokens`, wanted);
    const id = at(fresh, "details", "id");
    const token = at(fresh, "token");
    expect(fresh.status).toBe(201);
    expect(fresh.headers["cache-control"]).toBe("no-store");
    const details = {
      id: expect.any(String),
      kind: "personal",
      ...wanted,
      role: null,
      effectiveRole: "viewer",
      scopes: [],
      createdAt: isoTime,
      expiresAt: isoTime,
      refreshExpiresAt: null,
      revokedAt: null,
    };
    expect(fresh.json).toEqual({ token: expect.stringMatching(/^od_[\w-]{43}$/u), details });

    const rotated = await post(`${admin}/tokens/${String(id)}/rotate`);
    expect([rotated.status, rotated.headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(rotated.json).toEqual({
      token: expect.stringMatching(/^od_/u),
      details: at(fresh, "details"),
    });
    expect(at(rotated, "token")).not.toBe(token);

    const listed = await ask(`${admin}/tokens?user=viewer-a`);
    expect(idsOf(listed, "tokens")).toContain(id);
    expect(listed.text).not.toMatch(/od_|hash/u);

    const revoked = await remove(`${admin}/tokens/${String(id)}`);
    expect([revoked.status, revoked.json]).toEqual([
      200,
      { ...details, effectiveRole: null, revokedAt: isoTime },
    ]);
    expect((await remove(`${admin}/tokens/${String(id)}`)).status).toBe(404);
    expect((await post(`${admin}/tokens/${String(id)}/rotate`)).status).toBe(404);
    expect(idsOf(await ask(`${admin}/tokens?user=viewer-a`), "tokens")).not.toContain(id);
    expect(idsOf(await ask(`${admin}/tokens?deleted=true`), "tokens")).toContain(id);
  });

  it("are good for as long as is asked for", async () => {
    const hour = await post(`${admin}/tokens`, { ...wanted, expiresInSeconds: 3600 });
    const stated = (key: string): number => Date.parse(String(at(hour, "details", key)));
    expect(stated("expiresAt") - stated("createdAt")).toBe(3_600_000);
    const forGood = await post(`${admin}/tokens`, { ...wanted, expiresInSeconds: null });
    expect(at(forGood, "details", "expiresAt")).toBeNull();
  });

  it("carry scopes that are known, and no more than their user holds", async () => {
    const watching = await post(`${admin}/tokens`, { name: "Prometheus", scopes: ["metrics"] });
    expect(at(watching, "details")).toMatchObject({
      scopes: ["metrics"],
      organization: null,
      user: "root",
    });
    expect((await post(`${admin}/tokens`, { name: "x", scopes: ["everything"] })).status).toBe(400);
    expect((await post(`${admin}/tokens`, { ...wanted, scopes: ["metrics"] })).json).toMatchObject({
      error: { code: "usage", hint: expect.stringContaining("without --user") },
    });
    expect((await post(`${admin}/tokens`, { ...wanted, role: "admin" })).status).toBe(403);
  });
});

it("a storage that fails is said, and changes nothing", async () => {
  await world.storage.close();
  const answer = await post(`${admin}/users`, { id: "ann" });
  expect([answer.status, answer.json]).toMatchObject([
    503,
    { error: { code: "store_unavailable" } },
  ]);
  expect(idsOf(await ask(`${admin}/users?limit=1000`), "users")).not.toContain("ann");
  expect((await ask("/api/v1/audit")).status).toBe(503);
});
