import { expect, it } from "vitest";
import { UnderWay, UnderWayByKey } from "../../src/core/under-way.ts";

it("keeps values in the order of addition, and removes each once", () => {
  const underWay = new UnderWay<string>();
  for (const value of ["a", "b", "c"]) underWay.add(value);
  expect(underWay.delete("b")).toBe(true);
  expect(underWay.delete("b")).toBe(false);
  expect([...underWay]).toEqual(["a", "c"]);
  expect(underWay.size).toBe(2);
});

it("goes over all that was in it, whatever is removed meanwhile", () => {
  const underWay = new UnderWay<string>();
  for (const value of ["a", "b", "c"]) underWay.add(value);
  const seen: string[] = [];
  for (const value of underWay) {
    seen.push(value);
    underWay.delete(value);
  }
  expect(seen).toEqual(["a", "b", "c"]);
  expect(underWay.size).toBe(0);
});

it("finds values by their keys", () => {
  const underWay = new UnderWayByKey<number, string>();
  underWay.add(1, "a");
  underWay.add(2, "b");
  expect(underWay.get(2)).toBe("b");
  expect(underWay.delete(1)).toBe(true);
  expect(underWay.delete(1)).toBe(false);
  expect(underWay.get(1)).toBeUndefined();
  expect(underWay.values()).toEqual(["b"]);
  underWay.clear();
  expect(underWay.size).toBe(0);
  expect(underWay.get(2)).toBeUndefined();
});
