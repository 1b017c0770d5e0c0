import { describe, expect, it } from "vitest";
import { emptyListing } from "../../src/core/mcp.ts";
import type { Tool } from "../../src/core/mcp.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import { createOfferedListings, offerProblems } from "../../src/gateway/offered-listings.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { otherRead, pinnedWorld, readTool, writeTool } from "./pinned-world.ts";

describe("what a server may make us keep", () => {
  it("is bounded: names beyond are withheld", async () => {
    const world = await pinnedWorld({ pin: "off" });
    world.list(readTool);
    for (let part = 0; part < 6; part += 1) {
      const names = Array.from({ length: 1_000 }, (_, index) => `tool-${part}-${index}`);
      world.list(...names.map((name) => ({ name, inputSchema: {} })));
    }
    const after = await world.restart();
    after.configure({ pin: "block" });
    after.list(readTool, { name: "tool-5-999", inputSchema: {} });
    expect(after.withheld()).toEqual(["tool-5-999"]);
    after.list(writeTool);
    expect(after.withheld()).toEqual(["look"]);
  });

  it.each(["off", "warn", "block"] as const)(
    "withholds names beyond under %s, also after a restart, and compares the instructions still",
    async (pin) => {
      const first = await pinnedWorld({ pin });
      const junk = Array.from({ length: 5_000 }, (_, index) => ({
        name: `tool-${index}`,
        inputSchema: {},
      }));
      first.list(...junk, readTool);
      expect(first.withheld()).toEqual(["look"]);
      const world = await first.restart();
      world.upstream.instructions = "Be kind";
      world.list(readTool);
      world.upstream.instructions = "Be evil";
      world.list(readTool);
      expect(world.withheld()).toEqual(["look"]);
      expect([...world.pins.beyond(world.server(), world.upstream.listing)]).toEqual(["look"]);
      expect(world.waiting()).toEqual(pin === "off" ? ["+look"] : ["(instructions)", "+look"]);
      await expect(world.approve("look")).rejects.toMatchObject({ code: "usage" });
      if (pin !== "off") await world.approve(null);
      expect(world.waiting()).toEqual(["+look"]);
      const offers = createOfferedListings(world.pins);
      const { listing } = world.upstream;
      const offered = offers.of(world.server(), listing);
      expect(offerProblems(world.server(), listing, offered)).toEqual([
        "1 tool is withheld, since it has had more than the 5000 that are remembered: look",
      ]);
    },
  );

  it("refuses to approve a name beyond, and says so", async () => {
    const world = await pinnedWorld({ pin: "off" });
    const names = Array.from({ length: 5_000 }, (_, index) => `tool-${index}`);
    world.list(...names.map((name) => ({ name, inputSchema: {} })));
    world.configure({ pin: "block" });
    world.list({ name: "more", inputSchema: {} });
    await expect(world.approve("more")).rejects.toMatchObject({
      code: "usage",
      message: 'Server "fs" has had more tools than are remembered; nothing was approved',
    });
    expect(world.withheld()).toEqual(["more"]);
  });

  it("is of a server that was configured in ever other ways the last few of these", async () => {
    const storage = createMemoryStorage();
    const world = await pinnedWorld({ pin: "block" }, storage);
    const configure = (index: number, ...tools: Tool[]): void => {
      world.upstream.listing = emptyListing;
      world.configure({}, { command: "fs-server", args: [`${index}`] });
      world.list(...tools);
    };
    for (let index = 0; index < 10; index += 1) {
      world.clock.ms += 1;
      configure(index, readTool);
    }
    configure(7, otherRead);
    expect(world.withheld()).toEqual(["look"]);
    configure(1, otherRead);
    expect(world.withheld()).toEqual([]);
    await world.pins.close();
    const pins = await storage.withPrincipal(systemPrincipal, (tx) => tx.toolPins.all());
    expect(new Set(pins.map(({ identity }) => identity)).size).toBe(5);
  });
});
