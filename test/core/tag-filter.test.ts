import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { anyOfTags, parseTagFilter, TagFilterFault } from "../../src/core/tag-filter.ts";

function faultOf(text: string): { reason: string; column: number } {
  try {
    parseTagFilter(text);
  } catch (error) {
    if (error instanceof TagFilterFault) return { reason: error.reason, column: error.column };
    throw error;
  }
  throw new Error(`${text} was read`);
}

const keyOf = (filter: string): string => parseTagFilter(filter).key;

const tagsOf = (list: string): string[] => (list === "" ? [] : list.split(","));

/** Whether it is a filter at all. @throws what is no fault of a filter */
function isRead(text: string): boolean {
  try {
    parseTagFilter(text).matches(["a"]);
    return true;
  } catch (error) {
    if (error instanceof TagFilterFault) return false;
    throw error;
  }
}

describe("a filter", () => {
  it.each<[filter: string, fitting: string[], others: string[]]>([
    ["web", ["web", "web,db"], ["", "db", "Web"]],
    ["web and db", ["web,db"], ["web", "db"]],
    ["web && db", ["web,db"], ["web", "db"]],
    ["web&db", ["web,db"], ["web", "db"]],
    ["web or db", ["web", "db"], ["", "x"]],
    ["web||db", ["web", "db"], [""]],
    ["web|db", ["web", "db"], [""]],
    ["web,db", ["web", "db"], [""]],
    ["not web", ["", "db"], ["web"]],
    ["!web", [""], ["web"]],
    ["! !web", ["web"], [""]],
    ["NOT web AnD Db", ["Db"], ["web,Db", "db"]],
    // not before and, and before or
    ["a or b and c", ["a", "b,c"], ["b", "c"]],
    ["(a or b) and c", ["a,c", "b,c"], ["a", "c"]],
    ["not a and b", ["b"], ["a,b", ""]],
    ["not (a and b)", ["a", "b", ""], ["a,b"]],
    ["a and not(b)", ["a"], ["a,b"]],
    ['"and"', ["and"], [""]],
    ['"two words" or "(x)"', ["two words", "(x)"], ["two"]],
    ['"a\\"b\\\\c"', ['a"b\\c'], ["ab"]],
    ["notes or android", ["notes", "android"], ["not"]],
    ["größe-1.x:y/z", ["größe-1.x:y/z"], ["größe"]],
    ["\t web \n", ["web"], [""]],
  ])("%s", (filter, fitting, others) => {
    const { matches } = parseTagFilter(filter);
    expect(fitting.filter((list) => !matches(tagsOf(list)))).toEqual([]);
    expect(others.filter((list) => matches(tagsOf(list)))).toEqual([]);
  });

  it.each<[filter: string, column: number, reason: string]>([
    ["", 1, "a tag is missing here"],
    ["  ", 3, "a tag is missing here"],
    ["and", 1, "a tag is missing here"],
    ["web and", 8, "a tag is missing here"],
    ["web or or db", 8, "a tag is missing here"],
    ["web db", 5, "and, or are missing before this"],
    ["web not db", 5, "and, or are missing before this"],
    ["(web", 5, "a closing bracket is missing here"],
    ["()", 2, "a tag is missing here"],
    ["web)", 4, "there is no opening bracket for this one"],
    ['web and "db', 9, "this quote has no end"],
    ['web and ""', 9, "a tag is not empty"],
    // A character is a code point, so that a caret stands where people see it.
    ["😀 and )", 7, "a tag is missing here"],
    ["a".repeat(1_001), 1_001, "it has 1000 characters at most"],
    [`${"(".repeat(70)}a${")".repeat(70)}`, 65, "it is more than 64 levels deep"],
    [`${"!".repeat(70)}a`, 65, "it is more than 64 levels deep"],
  ])("%j is wrong at %i", (filter, column, reason) => {
    expect(faultOf(filter)).toEqual({ column, reason });
  });

  it("is refused as usage, with its place and an example", () => {
    expect(() => parseTagFilter("web and")).toThrowError(AppError);
    expect(() => parseTagFilter("web and")).toThrowError(
      "The filter is wrong at character 8: a tag is missing here",
    );
  });

  it("has a key that order, spelling, brackets and repetition do not change", () => {
    for (const [one, other] of [
      ["a and b", '"b" and a'],
      ["a or (b or c)", "c|b|a|a"],
      ["not not a", "(a)"],
      ["a and a", "a"],
    ] as const) {
      expect(keyOf(one)).toBe(keyOf(other));
    }
    expect(anyOfTags(["b", "a"]).key).toBe(keyOf("a or b"));
    expect(new Set(["a and b", "a or b", "a", "!a", '"a&b"'].map(keyOf)).size).toBe(5);
  });

  it("names its tags once each", () => {
    expect(parseTagFilter("a and (b or not a)").tags).toEqual(["a", "b"]);
  });

  it("of nothing fits nothing", () => {
    expect(anyOfTags([]).matches(["a"])).toBe(false);
  });

  it("is read or refused, whatever it is", () => {
    const pieces = ["(", ")", "!", "&", "||", ",", '"', "\\", "and", "not", "a", " ", "é", "\0"];
    let seed = 7;
    const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
    let read = 0;
    for (let round = 0; round < 5_000; round++) {
      const text = Array.from({ length: next() % 12 }, () => pieces[next() % pieces.length]).join(
        "",
      );
      if (isRead(text)) read += 1;
    }
    expect(read).toBeGreaterThan(100);
    expect(read).toBeLessThan(5_000);
  });
});
