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
const isoTime: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u);

describe("history", () => {
  it("says newest first what was changed, without secrets of servers and hashes of tokens", async () => {
    await post(`${admin}/users`, { id: "ann", name: "Ann" });
    const all = await ask(`${admin}/history?limit=1000`);
    expect(at(all, "changes", 0)).toEqual({
      sequence: expect.any(Number),
      id: expect.any(String),
      time: isoTime,
      actor: "user",
      user_id: "root",
      organization_id: null,
      entity: "user",
      entity_id: "ann",
      action: "created",
      before: null,
      after: expect.objectContaining({ id: "ann", name: "Ann" }),
    });
    const sequences = idsOf(all, "changes", "sequence").map(Number);
    expect(sequences).toEqual(sequences.toSorted((one, other) => other - one));
    expect(all.text).not.toMatch(/hidden-value|"hash"|od_/u);
    expect(at(all, "next")).toBeNull();
  });

  it("is looked through by entity and id, page by page", async () => {
    const servers = await ask(`${admin}/history?entity=server&id=one`);
    expect(idsOf(servers, "changes")).toEqual(["change-2", "change-1"]);
    const first = await ask(`${admin}/history?entity=server&limit=1`);
    expect(idsOf(first, "changes")).toEqual(["change-2"]);
    const second = await ask(
      `${admin}/history?entity=server&limit=1&before=${String(at(first, "next"))}`,
    );
    expect(idsOf(second, "changes")).toEqual(["change-1"]);
    expect(at(second, "next")).toBeNull();
  });

  it("brings an earlier entry of a server back, by its name as it is", async () => {
    const restored = await post(`${admin}/servers/one/restore`);
    expect([restored.status, restored.json]).toMatchObject([
      202,
      { restored: "one", from: { entity: "server", entity_id: "one", actor: "file" } },
    ]);
    expect(restored.text).not.toContain("hidden-value");
    expect((await post(`${admin}/servers/${encodeURIComponent("a/b c")}/restore`)).status).toBe(
      404,
    );
  });
});

describe("purge", () => {
  it("removes for good what was deleted before", async () => {
    const nothing = await post(`${admin}/purge`, { before: "2020-01-01" });
    const none = { organizations: 0, users: 0, members: 0, tokens: 0, serverEntries: 0 };
    expect([nothing.status, nothing.json]).toEqual([200, { purged: none }]);
    const before = new Date().toISOString();
    const purged = await post(`${admin}/purge`, { before });
    expect(purged.json).toMatchObject({ purged: { organizations: 1, users: 1 } });
    expect((await post(`${admin}/users/gone/restore`)).status).toBe(404);
    expect((await post(`${admin}/purge`, { before: "2999-01-01T00:00:00Z" })).status).toBe(400);
  });
});

describe("audit", () => {
  const audit = "/api/v1/audit";

  it("answers rows under the names of the table, nulls included", async () => {
    const answer = await ask(`${audit}?order=oldest&limit=1`);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      rows: [
        {
          sequence: expect.any(Number),
          id: "row-1",
          time: "2026-01-01T00:00:00.000Z",
          tool_name: "one__echo",
          params: { message: "hi 1" },
          status: "success",
          duration_ms: 1,
          user_id: "root",
          organization_id: null,
          project_id: "shop",
          session_id: "session-1",
          client_name: "claude-code",
        },
      ],
      next: expect.any(Number),
    });
  });

  it("pages in both orders, without gap and repetition", async () => {
    for (const order of ["newest", "oldest"]) {
      const seen: unknown[] = [];
      let next: unknown;
      do {
        const after = typeof next === "number" ? `&after=${next}` : "";
        const page = await ask(`${audit}?order=${order}&limit=2${after}`);
        seen.push(...idsOf(page, "rows"));
        next = at(page, "next");
      } while (next !== null);
      const oldest = ["row-1", "row-2", "row-3", "row-4"];
      expect(seen).toEqual(order === "oldest" ? oldest : oldest.toReversed());
    }
  });

  it.each([
    ["since=2026-01-03", ["row-4", "row-3"]],
    ["until=2026-01-03", ["row-2", "row-1"]],
    ["since=2026-01-02T00:00:00Z&until=2026-01-02T00:00:00.001Z", ["row-2"]],
    ["since=2026-01-03T01:00:00%2B02:00", ["row-4", "row-3"]],
    ["tool=one__w*", ["row-4"]],
    ["tool=*__ech?", ["row-3", "row-2", "row-1"]],
    ["status=denied", ["row-2"]],
    ["user=viewer-b", ["row-3"]],
    ["organization=a", ["row-4", "row-2"]],
    [
      "project=shop&session=session-1&client=claude-code&status=success",
      ["row-4", "row-3", "row-1"],
    ],
    ["project=other", []],
    ["session=other", []],
    ["client=other", []],
    ["user=%27%20OR%201%3D1--", []],
    ["tool=%25", []],
    ["client=a%00b%0D%0A", []],
  ])("finds by %s", async (query, found) => {
    const answer = await ask(`${audit}?${query}`);
    expect([answer.status, idsOf(answer, "rows")]).toEqual([200, found]);
  });
});
