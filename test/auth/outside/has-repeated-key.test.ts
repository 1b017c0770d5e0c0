import { array, assert, dictionary, json, property, string } from "fast-check";
import { expect, test } from "vitest";
import { hasRepeatedKey } from "../../../src/auth/outside/has-repeated-key.ts";

test.each([
  '{"a":1,"a":2}',
  '{"a":{"b":1,"c":2,"b":3}}',
  '[{"a":[{"b":1,"b":1}]}]',
  String.raw`{"a":1,"\u0061":2}`,
  String.raw`{"\"":1,"\u0022":2}`,
  '{"":1,"":2}',
  '{ "a" : 1 , "b" : {} , "a" : 2 }',
  '{"__proto__":1,"__proto__":2}',
])("%s has a key twice", (text) => {
  expect(hasRepeatedKey(text)).toBe(true);
});

test.each([
  '{"a":{"a":{"a":1}}}',
  '[{"a":1},{"a":1}]',
  '{"a":"\\"a\\":1,","b":"{\\"a\\":"}',
  '{"a":["b","b",":"],"b":"a"}',
  String.raw`{"\\":1,"\\\\":2}`,
  '"a:a"',
  "1",
])("%s has none", (text) => {
  expect(hasRepeatedKey(text)).toBe(false);
});

test("whatever was an object has none, and has one when a member is said again", () => {
  assert(property(json(), (text) => !hasRepeatedKey(text)));
  const members = dictionary(string(), array(string()), { minKeys: 1 });
  assert(
    property(members, (object) => {
      const [key = ""] = Object.keys(object);
      const text = JSON.stringify(object);
      return hasRepeatedKey(`${text.slice(0, -1)},${JSON.stringify(key)}:1}`);
    }),
  );
});
