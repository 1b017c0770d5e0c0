import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHistory } from "../../../src/cli/commands/history.ts";
import { AdministrationBench, change } from "./fake-gateway.ts";

let bench: AdministrationBench;
beforeEach(async () => {
  bench = await AdministrationBench.start();
});
afterEach(() => bench.stop());

const json = { json: true, format: "json" } as const;
const printed = (): unknown => JSON.parse(bench.stdout);

/** The lines of one change, without the head. */
const shownOf = async (row: object): Promise<string[]> => {
  bench.stdout = "";
  bench.answer = () => [200, { changes: [{ ...change, ...row }], next: null }];
  await bench.run(createHistory(bench.dependencies), { limit: 1 });
  return bench.stdout.trimEnd().split("\n").slice(1);
};

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

  it("says that a value changed which is not shown, and nothing of what a deletion was", async () => {
    const entry = { command: "node", env: { KEY: "****" } };
    const server = { entity: "server", entity_id: "files", before: entry };
    expect(await shownOf({ ...server, after: { ...entry } })).toEqual([
      expect.stringContaining("server files"),
      "    (a hidden value changed)",
    ]);
    expect(await shownOf({ ...server, after: null, action: "deleted" })).toHaveLength(1);
  });

  it("shows long values from where they differ", async () => {
    const args = Array.from({ length: 30 }, (_, index) => `argument-${index}`);
    const server = { entity: "server", entity_id: "files", before: { args } };
    const [, detail = ""] = await shownOf({ ...server, after: { args: [...args, "--new"] } });
    expect(detail).toMatch(/^ {4}args: ….*"argument-29"\] → ….*"argument-29","--new"\]$/u);
  });

  it("tells a token by its name, and its id whole below it", async () => {
    const id = "5d1f0f0e-8c3a-4d4e-9b43-6d8f4d7f0c11";
    const details = { id, name: "ci", role: "viewer" };
    const token = { entity: "token", entity_id: id };
    expect(await shownOf({ ...token, action: "created", before: null, after: details })).toEqual([
      expect.stringMatching(/ {2}token ci {2}created$/u),
      `    ${id}  role: "viewer"`,
    ]);
    expect(await shownOf({ ...token, action: "deleted", before: details, after: null })).toEqual([
      expect.stringMatching(/ {2}token ci {2}deleted$/u),
      `    ${id}`,
    ]);
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

  it("goes on after a part without rows, and not in a circle", async () => {
    bench.answer = ({ path }) => [
      200,
      path.includes("before=7") ? { changes: [created], next: 7 } : { changes: [], next: 7 },
    ];
    await bench.run(createHistory(bench.dependencies), { limit: 5, ...json });
    expect(printed()).toEqual([created]);
    expect(bench.asked).toHaveLength(2);
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
