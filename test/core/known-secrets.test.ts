import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { redacted } from "../../src/core/credential-forms.ts";
import { isJsonObject, parseJson } from "../../src/core/json.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { knownSecrets } from "../../src/core/known-secrets.ts";
import { redactParams } from "../../src/core/redact.ts";

const redact = (params: JsonObject, ...secrets: string[]): string =>
  JSON.stringify(redactParams(params, { secrets: knownSecrets(secrets) }));

describe("a secret that is JSON itself", () => {
  const account = { user: "svcaccount", value: "zxcvbn99", list: [1, 2] };
  const dense = JSON.stringify(account);
  const spaced = JSON.stringify(account, null, 2);

  it.each([
    ["as it is", { body: spaced }],
    ["without its spaces", { body: dense }],
    ["in a text", { body: `x ${spaced}` }],
    ["in a text, without its spaces", { body: `x ${dense}` }],
    ["as an object", { body: account }],
    ["as an object in JSON", { body: `{"password":"x", "account":${spaced}, "n": 1.0}` }],
    ["as a text in JSON", { body: JSON.stringify({ account: spaced }) }],
    ["as a text in JSON in a text", { body: `x ${JSON.stringify({ account: spaced })}` }],
    ["in another order", { body: { list: [1, 2], value: "zxcvbn99", user: "svcaccount" } }],
  ])("is hidden %s", (_name, params: JsonObject) => {
    expect(redact(params, spaced)).not.toMatch(/svcaccount|zxcvbn99/u);
    expect(redact(params)).toMatch(/zxcvbn99/u);
  });
});

it("hides a secret of digits that comes as a number", () => {
  const secrets = ["8675309123", "0012345678"];
  const params = { n: 8675309123, list: [12345678], json: '{"n": 8675309123}', one: 1 };
  expect(redact(params, ...secrets)).toBe(
    JSON.stringify({ n: redacted, list: [redacted], json: `{"n":"${redacted}"}`, one: 1 }),
  );
});

it("finds a secret below escapes, and then shows the text without them", () => {
  expect(redact({ a: String.raw`{"x":"s\u0033cret-\u00e4", cut` }, "s3cret-ä")).toBe(
    JSON.stringify({ a: `{"x":"${redacted}", cut` }),
  );
  const untouched = String.raw`C:\new "x\u0033" \\n`;
  expect(redact({ a: untouched }, "s3cret-ä")).toBe(JSON.stringify({ a: untouched }));
});

test("one more secret counts with those before it, the longer first", () => {
  const known = knownSecrets(["abcdefgh", "12345678"]);
  expect(known.with("abcdefghij").hideIn("abcdefghij abcdefgh")).toBe(`${redacted} ${redacted}`);
  expect(known.with("abcdef").hideIn("abcdefgh abcdef 12345678")).toBe(
    `${redacted} ${redacted} ${redacted}`,
  );
  expect(known.hideIn("abcdef")).toBe("abcdef");
  expect(known.with(undefined)).toBe(known);
});

/** How a value is wrapped once more: in an object, a list, a text of JSON, a text that is cut. */
const wrapping = fc.record({
  kind: fc.constantFrom("object", "list", "json", "cut", "lines"),
  key: fc.string(),
  more: fc.oneof(fc.string(), fc.json()),
  space: fc.nat(3),
});

function wrap(
  value: Json,
  { kind, key, more, space }: { kind: string; key: string; more: string; space: number },
): Json {
  if (kind === "list") return [more, value];
  if (kind === "json") return JSON.stringify(value, null, space);
  if (kind === "cut") return `${key} ${JSON.stringify({ [key]: value }).slice(0, -1)}`;
  if (kind === "lines") return `{}\n${JSON.stringify([value])}\n`;
  return Object.fromEntries([
    ["more", more],
    [key, value],
  ]);
}

/** Every text in a value, its keys, and what is below the escapes of each. */
function* textsIn(value: Json): Generator<string> {
  if (typeof value === "string") {
    yield value;
    try {
      yield* textsIn(parseJson(value));
    } catch {
      // No JSON.
    }
  } else if (Array.isArray(value)) {
    for (const item of value) yield* textsIn(item);
  } else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) {
      yield key;
      yield* textsIn(value[key] ?? null);
    }
  }
}

test("a known secret is never in the result, wherever and how deep in JSON it stands", () => {
  const secret = fc
    .oneof(
      fc.string({ minLength: 6, maxLength: 40, unit: "grapheme" }),
      fc.stringMatching(/^[\w"\\/{}:, \n-]{6,30}$/u),
      fc.json().filter((text) => text.length >= 6),
      fc.nat().map((number) => String(number + 100_000)),
    )
    // What the marker and its neighbours can make up between them is nobody's secret.
    .filter((text) => !/[[\]]|redacted|…/u.test(text) && text.trim().length >= 6);
  const place = fc.constantFrom("value", "key", "within");
  fc.assert(
    fc.property(secret, place, fc.array(wrapping, { maxLength: 7 }), (given, where, wrappings) => {
      const inner: Json =
        where === "key" ? { [given]: 1 } : where === "value" ? given : `see ${given}!`;
      const params: JsonObject = { a: wrappings.reduce(wrap, inner) };
      const result = redactParams(params, { secrets: knownSecrets([given]) });
      for (const text of textsIn(result)) expect(text).not.toContain(given);
    }),
    { numRuns: 3_000 },
  );
});
