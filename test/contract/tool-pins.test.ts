import { expect, test } from "vitest";
import type { StoredPin } from "../../src/core/tool-pin.ts";
import { describeStorages, refused } from "./describe-storages.ts";

const pin = (changes: Partial<StoredPin> = {}): StoredPin => ({
  server: "files",
  identity: "command-1",
  tool: "read_file",
  hash: "a".repeat(64),
  definition: { name: "read_file", inputSchema: { type: "object" } },
  pinnedAtMs: 1_000,
  saidHashes: [],
  ...changes,
});

describeStorages(({ within }) => {
  const put = (...pins: StoredPin[]) => within((tx) => tx.toolPins.putAll(pins));
  const all = () => within((tx) => tx.toolPins.all());

  test("gives pins back as they were, and the newer in place of the older", async () => {
    const instructions = pin({ tool: null, definition: { instructions: "be kind" } });
    const unapproved = pin({ tool: "a", hash: null, definition: null, saidHashes: ["b", "c"] });
    await put(pin({ hash: "0" }), instructions, unapproved);
    await put(pin({ saidHashes: ["d"] }));
    expect(await all()).toStrictEqual([unapproved, pin({ saidHashes: ["d"] }), instructions]);
  });

  test("tells apart servers, what they are, and names that differ in letters no database keeps", async () => {
    const names = ["", "null", "a\0b", "a\uFFFDb", "\uD800", "read_file "];
    const pins = [
      ...names.map((tool) => pin({ tool, definition: { description: "\0\uD800" } })),
      pin({ identity: "command-2" }),
      pin({ server: "other" }),
    ];
    await put(...pins);
    const found = await all();
    expect(found).toHaveLength(pins.length);
    expect(found).toEqual(expect.arrayContaining(pins));
  });

  test("writes none of them when the transaction fails", async () => {
    await put(pin());
    const failing = within(async (tx) => {
      await tx.toolPins.putAll([pin({ hash: "9" }), pin({ tool: "x" })]);
      throw Object.assign(new Error("no"), refused);
    });
    await expect(failing).rejects.toMatchObject(refused);
    expect(await all()).toStrictEqual([pin()]);
  });

  test("removes all of a server as it was, and of no other", async () => {
    const others = [pin({ identity: "command-2" }), pin({ server: "other" })];
    await put(pin(), pin({ tool: null }), ...others);
    await within((tx) => tx.toolPins.removeAll([pin(), pin({ server: "nobody" })]));
    expect(await all()).toStrictEqual(others);
  });

  test("takes none at all", async () => {
    await put();
    await within((tx) => tx.toolPins.removeAll([]));
    expect(await all()).toStrictEqual([]);
  });
});
