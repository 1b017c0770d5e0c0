import { expect, it } from "vitest";
import { isPlaceholder, looksSecret, schemeOf } from "../../../src/cli/mcp/secret-values.ts";

it.each<[key: string, value: string, what: "secret" | "placeholder" | "plain"]>([
  ["PASSWORD", "mysecretpw", "secret"],
  ["PASSWORD", "changeling-93", "secret"],
  ["PASSWORD", "my-dog-rex", "secret"],
  ["PASSWORD", "change-is-good-93", "secret"],
  ["PASSWORD", "insert-coin", "secret"],
  ["PASSWORD", "add-on-7", "secret"],
  ["PASSWORD", "yourself", "secret"],
  ["PASSWORD", "put-it-here", "secret"],
  ["PASSWORD", "<3", "secret"],
  ["PIN", "1234", "secret"],
  ["TOKEN", "xx", "secret"],
  ["Authorization", "Bearer abc", "secret"],
  ["REGION", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "secret"],
  ["DATABASE", "postgres://me:pw@db.example/x", "secret"],
  ["TOKEN", "<YOUR_TOKEN>", "placeholder"],
  ["TOKEN", "YOUR_API_KEY", "placeholder"],
  ["TOKEN", "your-token-here", "placeholder"],
  ["TOKEN", "[your key]", "placeholder"],
  ["TOKEN", "yourApiKey", "placeholder"],
  ["TOKEN", "MY_API_KEY", "placeholder"],
  ["TOKEN", "sk-xxxx", "placeholder"],
  ["TOKEN", "sk-your-key", "placeholder"],
  ["TOKEN", "ghp_...", "placeholder"],
  ["TOKEN", "changeme", "placeholder"],
  ["TOKEN", "replace_with_your_token", "placeholder"],
  ["TOKEN", "insert key", "placeholder"],
  ["TOKEN", "api-key-here", "placeholder"],
  ["TOKEN", "token-goes-here", "placeholder"],
  ["Authorization", "Bearer YOUR_API_KEY", "placeholder"],
  ["DB_NAME", "my-database", "plain"],
  ["REGION", "eu-west-1", "plain"],
  ["USE_TOKEN", "true", "plain"],
  ["MAX_TOKENS", "100", "plain"],
  ["TOKEN", "", "plain"],
  ["TOKEN", "${TOKEN}", "plain"],
  ["Authorization", "Bearer ${secret:a/KEY}", "plain"],
])("%s=%s is a %s", (key, value, what) => {
  expect([looksSecret(key, value), isPlaceholder(value)]).toEqual([
    what === "secret",
    what === "placeholder",
  ]);
});

it("the word before a credential is none of it", () => {
  expect(["Bearer abc", "basic  abc", "abc"].map(schemeOf)).toEqual(["Bearer ", "basic  ", ""]);
});
