import { expect, test } from "vitest";
import { readBearerChallenge } from "../../src/oauth/bearer-challenge.ts";

test.each([
  ["no header", undefined, undefined],
  ["an empty one", "", undefined],
  ["another scheme", 'Basic realm="Bearer scope=x"', undefined],
  ["Bearer alone", "Bearer", {}],
  ["RFC 9728's", 'Bearer resource_metadata="https://h/p"', { resourceMetadata: "https://h/p" }],
  [
    "all that it may say, in any case and spacing",
    'bEARER  Error = "insufficient_scope" ,scope="a b",  resource_metadata="https://h/p?a=1,2"',
    { error: "insufficient_scope", scope: "a b", resourceMetadata: "https://h/p?a=1,2" },
  ],
  [
    "quotes in quotes",
    String.raw`Bearer scope="a\"b\\c", error=x`,
    { scope: 'a"b\\c', error: "x" },
  ],
  [
    "a URL without quotes",
    "Bearer resource_metadata=http://h/p",
    { resourceMetadata: "http://h/p" },
  ],
  [
    "one after others",
    'Basic realm="a, Bearer b", Negotiate YWJj==, DPoP algs="ES256", Bearer scope=x',
    { scope: "x" },
  ],
  ["one before others", 'Bearer scope=x, Basic realm="y", DPoP scope=z', { scope: "x" }],
  ["Basic without anything, then one", "Basic, Bearer error=x", { error: "x" }],
  [
    "two: the one that says where to sign in",
    'Bearer realm="old", Bearer resource_metadata="https://h/p"',
    { resourceMetadata: "https://h/p" },
  ],
  ["a parameter twice: the first", "Bearer scope=a, scope=b", { scope: "a" }],
  ["a quote that is never closed", 'Bearer error=x, scope="never', { error: "x" }],
  ["what is no header at all", "\u0000\u001b[31m", undefined],
])("reads %s", (_name, header, expected) => {
  expect(readBearerChallenge(header)).toEqual(expected);
});

test.each([
  `Bearer a="${"\\".repeat(1e6)}`,
  `Bearer ${"a=".repeat(1e6)}`,
  ",".repeat(1e6),
  "a".repeat(1e6),
])("reads no further than a header goes (%#)", (header) => {
  expect(readBearerChallenge(header)?.scope).toBeUndefined();
});
