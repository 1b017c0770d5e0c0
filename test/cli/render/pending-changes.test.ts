import { describe, expect, it } from "vitest";
import type { PendingChange } from "../../../src/core/tool-pin.ts";
import {
  changeWords,
  pendingChangesPage,
  pendingChangesText,
} from "../../../src/cli/render/pending-changes.ts";

const change = (more: Partial<PendingChange>): PendingChange => ({
  server: "fs",
  tool: "look",
  kind: "changed",
  hash: "0".repeat(64),
  before: { name: "look", description: "Looks", inputSchema: { type: "object" } },
  after: { name: "look", description: "Looks", inputSchema: { type: "object" } },
  becameWrite: false,
  withheld: true,
  ...more,
});
const text = (...changes: PendingChange[]) => pendingChangesText("fs", changes);

const numbered = (count: number, word: string): string =>
  Array.from({ length: count }, (_, index) => `${word} ${index}`).join("\n");
const described = (was: string, is: string): PendingChange =>
  change({ before: { description: was }, after: { description: is } });
const noise = (seed: number): string =>
  Array.from({ length: 20_000 }, (_, index) => `${(index * seed) % 7919}`).join("\n");

describe("pendingChangesText", () => {
  it("says the risk first, and shows what changed line by line, and nothing else", async () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const before = { name: "look", description: lines.join("\n"), inputSchema: {} };
    const after = {
      name: "look",
      description: lines.with(10, "evil").join("\n"),
      inputSchema: { type: "object" },
    };
    expect(await text(change({ before, after, becameWrite: true }))).toBe(
      [
        "fs/look: changed, withheld until it is approved",
        "  reads → writes",
        "  description",
        "      …",
        "      line 8",
        "      line 9",
        "    - line 10",
        "    + evil",
        "      line 11",
        "      line 12",
        "      …",
        "  inputSchema",
        "    - {}",
        "    + {",
        '    +   "type": "object"',
        "    + }",
        "",
      ].join("\n"),
    );
  });

  it("lets nothing foreign be taken for a line of ours, or act on a terminal", async () => {
    const after = {
      instructions: "a\rb\u2028fs/other: changed, offered\u{1b}[8mhidden\u202Eback\u200Bwidth",
    };
    const shown = await text(change({ tool: null, before: { instructions: "" }, after }));
    expect(shown).toContain("fs (instructions): changed");
    expect(shown.split("\n").slice(2, -1)).toHaveLength(3);
    for (const line of shown.split("\n").slice(2, -1)) expect(line).toMatch(/^ {4}\+ /u);
    for (const hostile of ["\u{1b}", "\u202E", "\u200B", "\r", "\u2028"]) {
      expect(shown).not.toContain(hostile);
    }
  });

  it("shows all of what is new, and says what is too large to be shown", async () => {
    const after = { name: "look", omittedCharacters: 300_000 };
    const shown = await text(change({ kind: "new", before: null, after }));
    expect(shown).toContain("fs/look: new, withheld until it is approved");
    expect(shown).toContain("now it has 300000 characters");
    expect(shown).toContain("    + look");
  });

  it("shows members that it does not know, behind those it does", async () => {
    const before = { future: "1", description: "Looks" };
    const after = { future: "2", description: "Looks at all", "fe\u0301": { deep: true } };
    const shown = await text(change({ before, after }));
    const named = shown.split("\n").filter((line) => /^ {2}\S/u.test(line));
    expect(named).toEqual(["  description", "  future", "  fe\u0301"]);
    expect(shown).toContain('+   "deep": true');
  });

  it("is bounded", async () => {
    const shown = await text(
      change({
        before: { name: "look", description: noise(3) },
        after: { name: "x".repeat(100_000), description: noise(7) },
      }),
    );
    expect(shown.length).toBeLessThan(50_000);
    expect(shown).toContain("lines NOT shown: agent mcp approve --all shows them");
    expect(shown).toContain("characters NOT shown: agent mcp approve --all shows them");
  });

  it("cuts what was before anything that is there now, and counts what it cut of that", async () => {
    const hidden = described(numbered(3_000, "old"), `${numbered(700, "new")}\nevil`);
    const shown = await pendingChangesPage("fs", [hidden]);
    expect(shown.notShown).toBeUndefined();
    expect(shown.text).toContain("    + evil\n");
    expect(shown.text).toContain("(2901 more lines of what was");

    const long = [described("", numbered(803, "new")), described("", `${"x".repeat(2_000)}evil`)];
    expect((await pendingChangesPage("fs", long)).notShown).toBe("3 lines and 4 characters");
    const whole = await pendingChangesPage("fs", long, { all: true });
    expect(whole.notShown).toBeUndefined();
    expect(whole.text).toContain("    + new 802\n");
    expect(whole.text).toContain("xevil\n");
  });

  it("says that what is known by its hash alone was not shown", async () => {
    const large = change({ after: { name: "look", omittedCharacters: 300_000 } });
    expect((await pendingChangesPage("fs", [large])).notShown).toBe("300000 characters");
  });

  it("lets no name of a member be taken for a line of ours, and escapes what is not seen", async () => {
    const after = { "a\nfs/b: new": 1, [`b${"c".repeat(300)}`]: 1, d: "\u{e0041}\u{9b}\t" };
    const { text: shown, notShown } = await pendingChangesPage("fs", [change({ after })]);
    expect(shown).toContain("  a\\nfs/b: new\n");
    expect(shown).toContain("    + \\u{e0041}\\x9b\t\n");
    expect(notShown).toBe("101 characters");
    const bounded = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [index, 1]));
    const many = await pendingChangesPage("fs", [change({ before: bounded, after: {} })]);
    expect(many.text.length).toBeLessThan(50_000);
  });

  it("never shows nothing of a change", async () => {
    const changed = change({ before: { title: "a\rb" }, after: { title: "a\nb" } });
    expect(await text(changed)).toContain("(other in its line ends or its type alone)");
  });

  it("is nothing for nothing", async () => {
    expect(await text()).toBe("");
    expect(changeWords(change({ becameWrite: true }))).toBe("changed, reads → writes, withheld");
  });
});
