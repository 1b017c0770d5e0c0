import { setImmediate as immediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Tool } from "../../src/core/mcp.ts";
import { largestDefinition } from "../../src/core/pin-definition.ts";
import { hashOfChanges } from "../../src/gateway/approve-pins.ts";
import { createOfferedListings } from "../../src/gateway/offered-listings.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { ada } from "./fakes.ts";
import { listingOf, otherRead, pinnedWorld, readTool, writeTool } from "./pinned-world.ts";

const modes = ["off", "warn", "block"] as const;
const second: Tool = { name: "second", inputSchema: { type: "object" } };

describe("a tool that changes", () => {
  it.each([
    ["off", [], []],
    ["warn", ["look"], []],
    ["block", ["look"], ["look"]],
  ] as const)("under %s waits: %s, is withheld: %s", async (pin, waiting, withheld) => {
    const world = await pinnedWorld({ pin });
    world.list(readTool, second);
    expect(world.waiting()).toEqual([]);
    world.list(otherRead, second);
    expect(world.waiting()).toEqual(waiting);
    expect(world.withheld()).toEqual(withheld);
  });

  it.each(modes)(
    "from reading to writing is withheld under %s until it is approved",
    async (pin) => {
      const world = await pinnedWorld({ pin });
      world.list(readTool);
      world.list(writeTool);
      expect(world.waiting()).toEqual(["!look"]);
      expect(world.withheld()).toEqual(["look"]);
      await world.approve("look");
      expect(world.waiting()).toEqual([]);
      expect(world.withheld()).toEqual([]);
    },
  );

  it.each(modes)("and comes back to what it was, waits no longer under %s", async (pin) => {
    const world = await pinnedWorld({ pin });
    world.list(readTool);
    world.list(writeTool);
    world.list(readTool);
    expect(world.waiting()).toEqual([]);
    expect(world.withheld()).toEqual([]);
  });

  it("is judged by the access rules as they are now", async () => {
    const world = await pinnedWorld();
    world.list(readTool);
    world.list(writeTool);
    const { access } = world.server();
    world.configure({ access: { ...access, read: ["look"] } });
    expect(world.withheld()).toEqual([]);
    // It read all the time, so what is there now is what counts.
    world.configure({ access });
    expect(world.withheld()).toEqual([]);
  });

  it("under off follows the newest, and finds a turn to writing from there", async () => {
    const world = await pinnedWorld();
    world.list(writeTool);
    world.list(readTool);
    expect(world.withheld()).toEqual([]);
    world.list({ ...writeTool, title: "Later" });
    expect(world.withheld()).toEqual(["look"]);
    // While it waits it is still compared with what it was when it read.
    world.list({ ...writeTool, title: "Later still" });
    expect(world.withheld()).toEqual(["look"]);
  });

  it("under one name twice is withheld when one of the two is not what was approved", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    world.list(readTool, otherRead);
    expect(world.withheld()).toEqual(["look"]);
  });

  it("in more than anybody keeps is known by its hash, and by what it is decided by", async () => {
    const world = await pinnedWorld({ pin: "warn" });
    const long = "x".repeat(largestDefinition);
    world.list({ ...readTool, description: long });
    world.list({ ...writeTool, description: `${long}y` });
    const [change] = world.pins.changesOf(world.server());
    expect(change).toMatchObject({
      becameWrite: true,
      before: { name: "look", omittedCharacters: expect.any(Number) },
      after: { name: "look", omittedCharacters: expect.any(Number) },
    });
    expect(JSON.stringify(change).length).toBeLessThan(1_000);
  });

  it("is nobody's matter while the configuration leaves it out", async () => {
    const world = await pinnedWorld({ pin: "warn" });
    world.list(readTool);
    world.configure({ tools: { allow: [], deny: ["look"], descriptions: {} } });
    world.list(otherRead);
    expect(world.waiting()).toEqual([]);
    expect(await world.rows()).toEqual([]);
    world.configure({ tools: { allow: [], deny: [], descriptions: {} } });
    expect(world.waiting()).toEqual(["look"]);
    expect(await world.rows()).toHaveLength(1);
  });
});

describe("a new tool of a known server", () => {
  it.each([
    ["off", [], [], 0],
    ["warn", [], [], 1],
    ["block", ["+second"], ["second"], 1],
  ] as const)("under %s", async (pin, waiting, withheld, rows) => {
    const world = await pinnedWorld({ pin });
    world.list(readTool);
    world.list(readTool, second);
    expect(world.waiting()).toEqual(waiting);
    expect(world.withheld()).toEqual(withheld);
    expect(await world.rows()).toHaveLength(rows);
  });

  it("is one that was there, when it comes back", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool, second);
    world.list(second);
    world.list(readTool, second);
    expect(world.withheld()).toEqual([]);
    world.list(second);
    world.list(otherRead, second);
    expect(world.withheld()).toEqual(["look"]);
  });

  it("is offered once it is approved", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    world.list(readTool, second);
    await world.approve("second");
    expect(world.withheld()).toEqual([]);
    expect(await world.rows()).toMatchObject([
      { action: "created", actor: "server", entityId: "fs/second", before: null },
      { action: "approved", actor: "user", userId: "ada", after: { name: "second" } },
    ]);
  });
});

describe("what a server says of itself", () => {
  it.each([
    ["off", [], false],
    ["warn", ["(instructions)"], false],
    ["block", ["(instructions)"], true],
  ] as const)("under %s", async (pin, waiting, isWithheld) => {
    const world = await pinnedWorld({ pin });
    world.upstream.instructions = "Be kind";
    world.list(readTool);
    expect(world.pins.withholdsInstructions(world.server(), "Be kind")).toBe(false);
    world.upstream.instructions = "Be evil";
    world.list(readTool);
    expect(world.waiting()).toEqual(waiting);
    expect(world.pins.withholdsInstructions(world.server(), "Be evil")).toBe(isWithheld);
    expect(world.pins.withholdsInstructions(world.server(), "Be kind")).toBe(false);
  });

  it("for the first time, after it said nothing, has changed", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    world.upstream.instructions = "Be evil";
    world.list(readTool);
    expect(world.pins.withholdsInstructions(world.server(), "Be evil")).toBe(true);
    await world.approve(null);
    expect(world.pins.withholdsInstructions(world.server(), "Be evil")).toBe(false);
  });
});

describe("listings of sessions", () => {
  it("are judged each by itself, and what waits there alone can be approved", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    const session = listingOf(otherRead, second);
    expect([...world.pins.withheld(world.server(), session)]).toEqual(["look", "second"]);
    expect(world.withheld()).toEqual([]);
    expect(world.waiting()).toEqual(["look", "+second"]);
    await world.approve("look");
    expect([...world.pins.withheld(world.server(), session)]).toEqual(["second"]);
    expect(world.withheld()).toEqual(["look"]);
  });

  it("can be approved for as long as they are in use, however long and whatever else is seen", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    const session = listingOf(otherRead);
    const offers = createOfferedListings(world.pins);
    const use = () => offers.of(world.server(), session).withheld;
    const { version } = world.pins;
    use();
    const big = "x".repeat(200_000);
    const flood = Array.from({ length: 50 }, (_, index) => ({
      ...readTool,
      name: `t${index}`,
      description: big,
    }));
    offers.of(world.server(), listingOf(...flood));
    expect(world.waiting()).not.toContain("look");
    expect(world.waiting().length).toBeLessThan(flood.length);
    world.clock.ms += 48 * 60 * 60 * 1000;
    expect(world.waiting()).toEqual([]);
    expect(world.pins.version).toBe(version);
    expect([...use()]).toEqual(["look"]);
    expect(world.waiting()).toEqual(["look"]);
    await world.approve("look");
    expect([...use()]).toEqual([]);
  });

  it("do not keep waiting what the common listing no longer has", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    world.list(otherRead);
    expect(world.withheld()).toEqual(["look"]);
    world.list(readTool);
    expect(world.waiting()).toEqual([]);
  });
});

describe("approving", () => {
  it("takes the very hash that was shown, and nothing that came after it", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    world.list(otherRead);
    const [shown] = world.pins.changesOf(world.server());
    world.list({ ...readTool, description: "Sends your files away" });
    const approving = world.pins.approve(
      world.server(),
      { tool: "look", hash: shown?.hash ?? "" },
      () => ada,
    );
    await expect(approving).rejects.toMatchObject({ code: "usage" });
    expect(world.withheld()).toEqual(["look"]);
    expect(await world.rows()).not.toContainEqual(expect.objectContaining({ action: "approved" }));
  });

  it("of a whole server names all that waits", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.upstream.instructions = "a";
    world.list(readTool);
    world.upstream.instructions = "b";
    world.list(otherRead, second);
    const shown = world.pins.changesOf(world.server());
    expect(shown).toHaveLength(3);
    const part = hashOfChanges(shown.slice(1));
    await expect(
      world.pins.approve(world.server(), { hash: part }, () => ada),
    ).rejects.toMatchObject({ code: "usage" });
    expect(world.waiting()).toHaveLength(3);
    await world.pins.approve(world.server(), { hash: hashOfChanges(shown) }, () => ada);
    expect(world.waiting()).toEqual([]);
    expect((await world.rows()).filter(({ action }) => action === "approved")).toHaveLength(3);
  });

  it("approves nothing when who acts may not any more, or the storage fails", async () => {
    const storage = createMemoryStorage();
    const world = await pinnedWorld({ pin: "block" }, storage);
    world.list(readTool);
    world.list(otherRead);
    const [change] = world.pins.changesOf(world.server());
    const what = { tool: "look", hash: change?.hash ?? "" };
    const denied = world.pins.approve(world.server(), what, () => {
      throw new Error("not any more");
    });
    await expect(denied).rejects.toThrow("not any more");
    await storage.close();
    await expect(world.pins.approve(world.server(), what, () => ada)).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(world.withheld()).toEqual(["look"]);
  });

  it("is told, so that clients are", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    world.list(otherRead);
    const { version } = world.pins;
    let told = 0;
    world.pins.onChange(() => (told += 1));
    await world.approve("look");
    await immediate();
    await immediate();
    expect(told).toBe(1);
    expect(world.pins.version).toBeGreaterThan(version);
  });
});

describe("remembering", () => {
  it("outlasts the gateway, and says nothing twice", async () => {
    const before = await pinnedWorld({ pin: "block" });
    before.list(readTool);
    before.list(otherRead, second);
    expect(await before.rows()).toHaveLength(2);
    const after = await before.restart();
    after.list(otherRead, second);
    expect(after.withheld()).toEqual(["look", "second"]);
    expect(after.lines.filter(({ level }) => level === "warn")).toEqual([]);
    expect(await after.rows()).toHaveLength(2);
  });

  it("sees what changed while the gateway was down", async () => {
    const before = await pinnedWorld();
    before.list(readTool);
    const after = await before.restart();
    after.list(writeTool);
    expect(after.withheld()).toEqual(["look"]);
  });

  it("begins anew with another command, and comes back with the one before", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    // As the pool does it: another connection, which has listed nothing yet.
    world.upstream.listing = emptyListing;
    world.configure({}, { command: "another", args: [] });
    world.list(otherRead);
    expect(world.withheld()).toEqual([]);
    world.upstream.listing = emptyListing;
    world.configure({}, { command: "fs-server", args: ["."], env: { KEY: "new" } });
    world.list(otherRead);
    expect(world.withheld()).toEqual(["look"]);
  });

  it("goes on where the storage failed, at the next change", async () => {
    const inner = createMemoryStorage();
    let isBroken = false;
    const storage = {
      ...inner,
      withPrincipal: ((principal, work) =>
        isBroken
          ? Promise.reject(new Error("disk on fire"))
          : inner.withPrincipal(principal, work)) as typeof inner.withPrincipal,
    };
    const world = await pinnedWorld({ pin: "warn" }, storage);
    isBroken = true;
    const untouched = { ...readTool, name: "untouched" };
    world.list(readTool, untouched);
    world.list(otherRead);
    expect(world.waiting()).toEqual(["look"]);
    expect(await world.rows()).toEqual([]);
    world.list(otherRead, second);
    expect(await world.rows()).toEqual([]);
    expect(world.lines.filter(({ level }) => level === "error")).toHaveLength(1);
    isBroken = false;
    world.list(readTool, second);
    world.list({ ...readTool, title: "third" }, second);
    expect((await world.rows()).map(({ entityId }) => entityId)).toEqual([
      "fs/look",
      "fs/second",
      "fs/look",
    ]);
    const after = await world.restart();
    after.configure({ pin: "block" });
    after.list(otherRead, second, untouched);
    expect(after.withheld()).toEqual(["look"]);
  });
});

describe("what is said", () => {
  it("is one line and one row for each new hash", async () => {
    const world = await pinnedWorld({ pin: "warn" });
    world.list(readTool);
    for (const tool of [otherRead, readTool, otherRead, otherRead]) world.list(tool);
    expect(world.lines.filter(({ level }) => level === "warn")).toMatchObject([
      { fields: { server: "fs", changed: "look", hint: "agent mcp approve fs" } },
    ]);
    expect(await world.rows()).toMatchObject([
      {
        entity: "tool",
        entityId: "fs/look",
        action: "changed",
        actor: "server",
        before: { description: "Looks" },
        after: { description: "Looks, and tells others", withheld: false },
      },
    ]);
  });

  it.each(modes)("of a server that flips every second is bounded under %s", async (pin) => {
    const world = await pinnedWorld({ pin });
    world.list(readTool);
    const hour = 3_600;
    for (let at = 0; at < hour; at += 1) {
      world.clock.ms += 1_000;
      const turn = { ...writeTool, description: `Turn ${at}` };
      world.list(turn, { ...second, name: `second-${at}` });
    }
    expect((await world.rows()).length).toBeLessThanOrEqual(300);
    const lines = world.lines.filter(({ level }) => level === "warn");
    expect(lines.length).toBeLessThanOrEqual(300);
    expect(lines.length).toBeGreaterThan(0);
  });

  it("of one tool that flips without end leaves room for the others", async () => {
    const world = await pinnedWorld({ pin: "warn" });
    world.list(readTool, second);
    for (let at = 0; at < 600; at += 1) {
      world.clock.ms += 1_000;
      world.list({ ...readTool, description: `Turn ${at}` }, second);
    }
    world.list(readTool, { ...second, description: "other" });
    const ids = (await world.rows()).map(({ entityId }) => entityId);
    expect(ids.length).toBeLessThanOrEqual(9);
    expect(ids.at(-1)).toBe("fs/second");
  });

  it("is for the administrators of the one organisation whose server it is", async () => {
    const world = await pinnedWorld({ pin: "warn" });
    const { access } = world.server();
    world.configure({ access: { ...access, organizations: ["acme"] } });
    world.list(readTool);
    world.list(otherRead);
    expect(await world.rows()).toMatchObject([{ organizationId: "acme" }]);
  });
});
