import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isSecretName,
  isSecretOf,
  secretName,
  secretsIn,
} from "../../src/core/secret-reference.ts";

describe("the name of a server's secret", () => {
  it("is readable where nothing has to be written otherwise", () => {
    expect(secretName("git-hub.2", "GITHUB_TOKEN")).toBe("git-hub.2/GITHUB_TOKEN");
    expect(secretName("git hub", "X-Key")).toBe("git--20-hub/X-Key");
  });

  it.each([
    ["\u65e5\u672c", "\u4e2d\u56fd"],
    ["git hub", "git-hub"],
    ["git hub", "git--20-hub"],
    ["a b", "a  b"],
    ["a--b", "a-b"],
  ])("is another one for %s than for %s", (one, other) => {
    expect(secretName(one, "K")).not.toBe(secretName(other, "K"));
    expect(isSecretOf(secretName(one, "K"), other)).toBe(false);
  });

  it("is never the same for two servers", () => {
    const word = fc.string({
      unit: fc.constantFrom("a", "-", "2", "0", " ", "d", "\u65e5"),
      minLength: 1,
    });
    fc.assert(
      fc.property(word, word, (one, other) => {
        expect(isSecretOf(secretName(one, "K"), other)).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is one for any server", () => {
    for (const server of ["\u65e5".repeat(64), "\u{1f600}".repeat(32), "-".repeat(64)]) {
      expect(isSecretName(secretName(server, "GITHUB_TOKEN"))).toBe(true);
    }
  });
});

it("references without an end are not looked for again and again", () => {
  expect(secretsIn(`\${secret:a/K} ${"${secret:".repeat(100_000)}`)).toEqual(["a/K"]);
});
