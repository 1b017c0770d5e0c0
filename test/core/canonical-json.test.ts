import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { parseJson } from "../../src/core/json.ts";

const textOf = (json: string): string => canonicalJson(parseJson(json)).text;

describe("canonicalJson", () => {
  it("writes what RFC 8785 has as an example", () => {
    const given = `{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
      "literals": [null, true, false]
    }`;
    expect(textOf(given)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("puts names in the order of their UTF-16 code units", () => {
    const given = `{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7,"__proto__":8,"":9}`;
    expect(textOf(given)).toBe(
      '{"":9,"\\r":2,"1":4,"__proto__":8,"\u0080":6,"\u00F6":7,"\u20AC":1,"\uD83D\uDE00":5,"\uFB33":3}',
    );
  });

  it.each(["null", "[]", "{}", "-0", '"a"', '[[],{},[1,[2,{"a":[{}]}]]]'])("writes %s", (json) => {
    expect(textOf(json)).toBe(JSON.stringify(JSON.parse(json)));
  });

  it("tells apart what is not the same", () => {
    const alike = ["[1,2]", "[[1],2]", '["1",2]', '{"1":2}', '{"1":"2"}', "[12]", '["1,2"]'];
    expect(new Set(alike.map(textOf)).size).toBe(alike.length);
  });

  it("says how deep it is, and takes what no stack would hold", () => {
    expect(canonicalJson(1).depth).toBe(0);
    expect(canonicalJson(parseJson('{"a":[1,{}]}')).depth).toBe(3);
    const depth = 300_000;
    const { text, depth: found } = canonicalJson(parseJson("[".repeat(depth) + "]".repeat(depth)));
    expect(found).toBe(depth);
    expect(text).toHaveLength(2 * depth);
  });
});
