import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { redacted } from "../../src/core/credential-forms.ts";
import { knownSecrets } from "../../src/core/known-secrets.ts";
import { redactParams } from "../../src/core/redact.ts";

const secret = "s3cr3t-value-of-a-server";
const text = (params: JsonObject, secrets: string[] = [secret]) =>
  JSON.stringify(redactParams(params, { secrets: knownSecrets(secrets) }));

describe("redactParams", () => {
  it.each([
    "authorization",
    "Authorization",
    "token",
    "access_token",
    "accessToken",
    "auth-token",
    "password",
    "PASSWD",
    "client_secret",
    "apiKey",
    "api_key",
    "X-API-Key",
    "private_key",
    "cookie",
    "Set-Cookie",
    "credentials",
    "passphrase",
    "pin",
  ])("hides what stands under %s", (key) => {
    expect(redactParams({ [key]: "abcdef", kept: 1 })).toEqual({ [key]: redacted, kept: 1 });
    expect(redactParams({ a: [{ [key]: { deep: ["abcdef"] } }] })).toEqual({
      a: [{ [key]: redacted }],
    });
  });

  it("keeps what only sounds like it", () => {
    const params = { max_tokens: 100, token: null, password: "", hasSecret: true, pinned: "yes" };
    expect(redactParams(params)).toEqual(params);
  });

  it("hides a number under a telling key", () => {
    expect(redactParams({ password: 123456, pin: 1234 })).toEqual({
      password: redacted,
      pin: redacted,
    });
  });

  it("hides known secrets wherever they stand: in text, keys, arrays and JSON inside strings", () => {
    const json = JSON.stringify({ deep: { note: `x ${secret} y` } });
    const params = {
      a: `see ${secret}!`,
      [secret]: 1,
      list: [[secret]],
      json,
      twice: JSON.stringify({ json }),
    };
    expect(text(params)).not.toContain(secret);
    expect(redactParams(params, { secrets: knownSecrets([secret]) })["a"]).toBe(`see ${redacted}!`);
  });

  it("replaces the longer of two secrets first, and ignores those too short to mean anything", () => {
    expect(text({ a: "abcdefgh" }, ["abcdef", "abcdefgh"])).toBe(`{"a":"${redacted}"}`);
    expect(text({ a: "a cat" }, ["cat", ""])).toBe('{"a":"a cat"}');
  });

  it("hides telling keys in JSON inside strings, and leaves other JSON text as it was written", () => {
    const spaced = '{ "a" : 1 }';
    expect(redactParams({ body: '{"password":"abc"}', spaced })).toEqual({
      body: `{"password":"${redacted}"}`,
      spaced,
    });
  });

  it.each([
    ["Bearer abcdefghijklmnop", `Bearer ${redacted}`],
    ["basic abcdefgh", `basic ${redacted}`],
    ["token od_0123456789abcdefghij here", `token ${redacted} here`],
    ["eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl", redacted],
    ["postgres://me:hunter2@db/x", `postgres://me:${redacted}@db/x`],
  ])("hides what looks like a credential in %j", (given, expected) => {
    expect(redactParams({ note: given })).toEqual({ note: expected });
  });

  it("never changes its input", () => {
    const params = { password: "x1x2x3", nested: { list: [secret, { token: "abc" }] } };
    const before = structuredClone(params);
    redactParams(params, { secrets: knownSecrets([secret]) });
    expect(params).toEqual(before);
  });

  it("caps the size, and the preview is redacted too", () => {
    const params = {
      password: "abcdef",
      a: `${secret} ${"x".repeat(100_000)}`,
      b: "y".repeat(9000),
    };
    const result = redactParams(params, { secrets: knownSecrets([secret]) });
    expect(result["truncated"]).toBe(true);
    expect(JSON.stringify(result).length).toBeLessThan(8 * 1024 + 2_500);
    expect(JSON.stringify(result)).not.toContain(secret);
    expect(JSON.stringify(result)).not.toContain("abcdef");
  });

  it("shows no half of a secret at the place where a long text is cut", () => {
    for (let shift = 0; shift < 2 * secret.length; shift++) {
      // Secrets that shrink bring the cut into what the result has room for.
      const filler = `${secret} `.repeat(700);
      const long = `${filler}${"z".repeat(shift)}${secret.repeat(200)}`;
      const result = text({ long });
      expect(result).not.toContain(secret.slice(0, 8));
    }
  });

  it("is bounded in depth and breadth", () => {
    let deep: JsonObject = { a: 1 };
    for (let level = 0; level < 5000; level++) deep = { deep };
    expect(text({ deep }).length).toBeLessThan(1000);
    const brackets = `${"[".repeat(8_000)}"token od_${"a".repeat(20)}"${"]".repeat(8_000)}`;
    expect(text({ brackets }).length).toBeLessThan(1000);
    const wide = Object.fromEntries(
      Array.from({ length: 200_000 }, (_, index) => [`k${index}`, 1]),
    );
    expect(redactParams({ wide }, { maxLength: 100 })["truncated"]).toBe(true);
  });

  it("keeps a key __proto__ a key", () => {
    const params = Object.fromEntries([["__proto__", { token: "abcdef" }]]);
    expect(text(params)).toBe(`{"__proto__":{"token":"${redacted}"}}`);
  });
});
