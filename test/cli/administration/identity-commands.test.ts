import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMember } from "../../../src/cli/commands/member.ts";
import { createOrg } from "../../../src/cli/commands/org.ts";
import { createUser } from "../../../src/cli/commands/user.ts";
import { acme, AdministrationBench, bob } from "./fake-gateway.ts";

let bench: AdministrationBench;
beforeEach(async () => {
  bench = await AdministrationBench.start();
});
afterEach(() => bench.stop());

const json = { json: true, format: "json" } as const;
const printed = (): unknown => JSON.parse(bench.stdout);

describe.each([
  ["org", "organizations", "organisation", createOrg] as const,
  ["user", "users", "user", createUser] as const,
])("agent %s", (_group, plural, one, create) => {
  it("adds", async () => {
    const { add } = create(bench.dependencies);
    bench.answer = () => [201, acme];
    await bench.run(add, { id: "acme", name: "Acme" });
    await bench.run(add, { id: "acme", ...json });
    expect(bench.asked).toEqual([
      `POST /api/v1/admin/${plural} {"id":"acme","name":"Acme"}`,
      `POST /api/v1/admin/${plural} {"id":"acme"}`,
    ]);
    const [line = "", ...rest] = bench.stdout.split("\n");
    expect(line).toBe(`Added ${one} acme`);
    expect(JSON.parse(rest.join("\n"))).toEqual(acme);
  });

  it("lists every page, those that are there or those that are removed", async () => {
    const { list } = create(bench.dependencies);
    const other = { ...acme, id: "beta", name: "\u001b[31mBeta" };
    bench.answer = ({ path }) =>
      path.includes("after=acme")
        ? [200, { [plural]: [other], next: null }]
        : [200, { [plural]: [acme], next: "acme" }];
    await bench.run(list, { deleted: false, ...json });
    expect(printed()).toEqual([acme, other]);
    expect(bench.asked).toEqual([
      `GET /api/v1/admin/${plural}?limit=1000`,
      `GET /api/v1/admin/${plural}?limit=1000&after=acme`,
    ]);
    bench.answer = () => [
      200,
      { [plural]: [{ ...acme, deletedAt: "2026-11-03T00:00:00.000Z" }], next: null },
    ];
    bench.stdout = "";
    await bench.run(list, { deleted: true });
    expect(bench.stdout).toBe("ID    NAME  REMOVED\nacme  Acme  2026-11-03\n");
    expect(bench.asked.at(-1)).toBe(`GET /api/v1/admin/${plural}?deleted=true&limit=1000`);
  });

  it("says so where there are none, with an empty array for scripts", async () => {
    const { list } = create(bench.dependencies);
    bench.answer = () => [200, { [plural]: [], next: null }];
    await bench.run(list, { deleted: false });
    expect([bench.stdout, bench.notes]).toEqual(["", [`There are no ${one}s`]]);
    await bench.run(list, { deleted: false, ...json });
    expect(printed()).toEqual([]);
  });

  it("removes and restores", async () => {
    const { remove, restore } = create(bench.dependencies);
    bench.answer = () => [200, acme];
    await bench.run(remove, { id: "acme" });
    await bench.run(restore, { id: "acme" });
    expect(bench.asked).toEqual([
      `DELETE /api/v1/admin/${plural}/acme`,
      `POST /api/v1/admin/${plural}/acme/restore`,
    ]);
    expect(bench.stdout).toBe(`Removed ${one} acme\nRestored ${one} acme\n`);
  });

  it.each(["", "Acme", "a/b", "..", "a b", "acme\n", "-acme", "a".repeat(101), "ä", "%2e%2e"])(
    "takes no id that can be none: %j",
    async (id) => {
      const { add, remove, restore } = create(bench.dependencies);
      for (const command of [add, remove, restore]) {
        expect((await bench.failure(command, { id })).code).toBe("usage");
      }
      expect(bench.asked).toEqual([]);
    },
  );
});

describe("agent member", () => {
  it("sets, lists, removes and restores", async () => {
    const { set, list, remove, restore } = createMember(bench.dependencies);
    const key = { user: "bob", organization: "acme" };
    bench.answer = ({ method }) =>
      method === "GET" ? [200, { members: [bob], next: null }] : [200, bob];
    await bench.run(set, { ...key, role: "editor" });
    await bench.run(remove, key);
    await bench.run(restore, key);
    await bench.run(list, { ...key, deleted: true });
    await bench.run(list, { deleted: false });
    const member = "/api/v1/admin/organizations/acme/members/bob";
    expect(bench.asked).toEqual([
      `PUT ${member} {"role":"editor"}`,
      `DELETE ${member}`,
      `POST ${member}/restore`,
      "GET /api/v1/admin/members?deleted=true&organization=acme&user=bob&limit=1000",
      "GET /api/v1/admin/members?limit=1000",
    ]);
    expect(bench.stdout.split("\n").slice(0, 5)).toEqual([
      "bob is editor in acme now",
      "bob is no member of acme any more",
      "bob is editor in acme again",
      "ORGANISATION  USER  ROLE    REMOVED",
      "acme          bob   editor  2026-11-01",
    ]);
  });

  it("gives JSON", async () => {
    const { set, list } = createMember(bench.dependencies);
    bench.answer = ({ method }) =>
      method === "GET" ? [200, { members: [bob], next: null }] : [200, bob];
    await bench.run(list, { deleted: false, ...json });
    expect(printed()).toEqual([bob]);
    bench.stdout = "";
    await bench.run(set, { user: "bob", organization: "acme", role: "editor", ...json });
    expect(printed()).toEqual(bob);
  });

  it("takes no ids that can be none", async () => {
    const { set, list } = createMember(bench.dependencies);
    const role = "viewer";
    for (const key of [
      { user: "..", organization: "acme" },
      { user: "bob", organization: "../users" },
    ]) {
      expect((await bench.failure(set, { ...key, role })).code).toBe("usage");
      expect((await bench.failure(list, { ...key, deleted: false })).code).toBe("usage");
    }
    expect(bench.asked).toEqual([]);
  });
});
