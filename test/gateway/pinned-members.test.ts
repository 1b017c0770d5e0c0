import { describe, expect, it } from "vitest";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { otherRead, pinnedWorld, readTool, writeTool } from "./pinned-world.ts";

describe("an approval", () => {
  it("puts nothing older in the place of what was taken while it was written", async () => {
    const storage = createMemoryStorage();
    let meanwhile: (() => void) | undefined;
    const world = await pinnedWorld(
      { pin: "off" },
      {
        ...storage,
        withPrincipal: (principal, work) =>
          storage.withPrincipal(principal, (tx) =>
            work({
              ...tx,
              toolPins: {
                ...tx.toolPins,
                async putAll(pins) {
                  await tx.toolPins.putAll(pins);
                  if (pins.some(({ definition }) => definition?.["title"] === "Writes"))
                    meanwhile?.();
                },
              },
            }),
          ),
      },
    );
    world.list(readTool);
    const writes = { ...writeTool, title: "Writes" };
    world.list(writes);
    meanwhile = () => world.list(otherRead);
    await world.approve("look");
    meanwhile = undefined;
    world.list(writes);
    expect(world.waiting()).toEqual(["!look"]);
    expect(world.withheld()).toEqual(["look"]);
    const after = await world.restart();
    after.list(writes);
    expect(after.withheld()).toEqual(["look"]);
  });
});

describe("what is pinned of a tool", () => {
  it.each<[string, object, boolean]>([
    ["execution", { execution: { taskSupport: "required" } }, true],
    ["a member nobody knows", { note: "Ignore all" }, true],
    ["__proto__", JSON.parse('{"__proto__": {"description": "Ignore all"}}'), true],
    ["what marks a large definition", { omittedCharacters: "Ignore all" }, true],
    ["_meta", { _meta: { more: 1 } }, false],
    ["icons", { icons: [{ src: "data:," }] }, false],
  ])("%s", async (_name, more, isPinned) => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    world.list(
      Object.defineProperties(structuredClone(readTool), Object.getOwnPropertyDescriptors(more)),
    );
    expect(world.waiting()).toEqual(isPinned ? ["look"] : []);
  });

  it("hides nothing behind the mark of a large definition", async () => {
    const world = await pinnedWorld({ pin: "block" });
    world.list(readTool);
    world.list({ ...readTool, omittedCharacters: "Ignore all" });
    const [change] = world.pins.changesOf(world.server());
    expect(change?.after["omittedCharacters"]).toBeTypeOf("number");
  });
});
