import { describe, expect, test } from "vitest";
import { emptyListing } from "../../src/core/mcp.ts";
import { callOptions, callTool, openPool, stdioServer } from "./support/pool.ts";

const raw = (name: string, ...modes: string[]) =>
  stdioServer(name, "raw-server.mjs", ["all", ...modes]);

describe("what a server lists", () => {
  test("is all of it, every field kept", async () => {
    const pool = openPool([raw("one")]);
    await pool.reaches("one", "ready");
    const { listing, capabilities } = pool.get("one");
    expect(listing).toMatchObject({
      prompts: [{ name: "greet", "x-vendor": 1 }],
      resources: [{ uri: "raw://one", name: "one", "x-vendor": 1 }],
      resourceTemplates: [{ uriTemplate: "raw://{id}", name: "any", "x-vendor": 1 }],
    });
    expect(listing.tools.length).toBeGreaterThan(5);
    expect(capabilities).toMatchObject({ resources: { listChanged: true, subscribe: true } });
    expect(pool.get("one").listingProblems).toEqual([]);
  });

  test("is only asked for what it offers", async () => {
    const pool = openPool([stdioServer("plain", "raw-server.mjs")]);
    expect(pool.get("plain").listing).toBe(emptyListing);
    await pool.reaches("plain", "ready");
    const { listing, listingProblems } = pool.get("plain");
    expect([listing.prompts, listing.resources, listing.resourceTemplates]).toEqual([[], [], []]);
    expect(listingProblems).toEqual([]);
  });

  test("a kind that is never listed is left out and told, the rest is there", async () => {
    const pool = openPool([raw("one", "mute-prompts")], { listMs: 50 });
    await pool.reaches("one", "ready");
    const { listing, listingProblems } = pool.get("one");
    expect(listing.prompts).toEqual([]);
    expect(listing.resources).toHaveLength(1);
    expect(listingProblems).toEqual(["prompts: it did not answer within 0.05 s"]);
  });

  test.each(["prompts", "resources"] as const)(
    "is listed again when %s are announced, and only they change",
    async (kind) => {
      const pool = openPool([raw("one")]);
      await pool.reaches("one", "ready");
      const before = pool.get("one").listing;
      await callTool(pool.get("one"), { name: "grow", arguments: { kind } }, callOptions());
      await pool.until(() => pool.get("one").listing !== before);
      const after = pool.get("one").listing;
      expect(after[kind]).toHaveLength(2);
      expect(after.tools).toBe(before.tools);
      expect(after.resourceTemplates).toBe(before.resourceTemplates);
    },
  );

  test("that was announced and did not change is not told", async () => {
    const pool = openPool([raw("one")]);
    await pool.reaches("one", "ready");
    const one = pool.get("one");
    const before = one.listing;
    const seen: unknown[] = [];
    pool.onChange(() => seen.push(one.listing));
    await callTool(one, { name: "announce" }, callOptions());
    // What changes later is told once: the announcement before it was not.
    await callTool(one, { name: "grow", arguments: { kind: "prompts" } }, callOptions());
    await pool.until(() => one.listing !== before);
    expect(seen).toEqual([one.listing]);
  });
});
