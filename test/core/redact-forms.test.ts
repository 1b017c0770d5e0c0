import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { redactParams } from "../../src/core/redact.ts";

const hidden = "hunter2hunter2";
const json = (value: Json): string => JSON.stringify(value);
const long = "A".repeat(17_000);

/** Of each, `hunter2hunter2` must go and `visible` stay. */
const cases: [string, JsonObject][] = [
  ["a key that comes twice", { body: `{"visible":1,"password":"${hidden}","password":null}` }],
  ["JSON encoded twice", { body: json(json({ password: hidden, visible: 1 })) }],
  ["JSON encoded three times", { body: json(json(json({ password: hidden, visible: 1 }))) }],
  ["JSON after a byte order mark", { body: `\u{feff}{"password":"${hidden}","visible":1}` }],
  ["lines of JSON", { body: `{"password":{"a":"${hidden}"}}\n{"visible":1}` }],
  ["lines of JSON that end in CR LF", { body: `{"password":["${hidden}"]}\r\n{"visible":1}\r\n` }],
  ["long JSON", { body: json({ visible: 1, password: { deep: hidden }, pad: long }) }],
  [
    "JSON too long to be read",
    { body: json({ visible: 1, password: hidden, pad: long.repeat(20) }) },
  ],
  ["cut JSON", { body: `{"visible":1,"password":"${hidden}` }],
  ["cut JSON with an object", { body: `{"visible":1,"credentials":{"a":["${hidden}","x"],"b":2}` }],
  ["cut JSON in JSON", { body: json({ visible: json({ password: hidden }) }).slice(0, -2) }],
  [
    "cut JSON in JSON in JSON",
    { a: json(json({ visible: json({ token: hidden }) })).slice(0, -4) },
  ],
  ["JSON in a sentence", { body: `visible: {"password": "${hidden}"}` }],
  ["Python", { body: `visible {'password': '${hidden}', 'n': None}` }],
  ["Ruby", { body: `visible {"password" => "${hidden}"}` }],
  ["a pair", { headers: [{ name: "Authorization", value: hidden }], visible: 1 }],
  ["a pair of capitals", { tags: [{ Key: "db_password", Value: hidden }], visible: 1 }],
  ["a pair in JSON", { body: json([{ value: hidden, name: "X-Api-Key" }, "visible"]) }],
  [
    "entries",
    {
      headers: [
        ["x-api-key", hidden],
        ["visible", "1"],
      ],
    },
  ],
  ["a header line", { headers: [`Authorization: ${hidden}`, "visible"] }],
  ["header lines", { text: `visible: 1\nCookie: a=b; c=${hidden}\n` }],
  ["escaped header lines", { text: `visible: 1\\nX-Auth-Token: ${hidden}` }],
  ["a command", { run: `curl visible -H 'Authorization: Token ${hidden}'` }],
  ["an option of a command", { run: `tool --password ${hidden} --visible` }],
  ["an option with its value", { run: `tool --password=${hidden} --visible` }],
  ["a list of options", { args: ["--token", hidden, "visible"] }],
  ["a form", { body: `password=${hidden}&visible=1` }],
  ["a form, later", { body: `visible=1&client_secret=${hidden}` }],
  ["a query", { url: `https://visible/?access_token=${hidden}#x` }],
  ["settings", { ini: `[visible]\npassword = ${hidden}\n` }],
  ["a connection string", { dsn: `Server=visible;Pwd=${hidden};` }],
  ["a quoted setting", { env: `VISIBLE=1\nDB_PASSWORD="hunter one ${hidden}"`, visible: 1 }],
  ["YAML", { yaml: `visible: 1\n  - password: ${hidden}` }],
  ["basic authentication in a URL", { url: `https://visible:${hidden}@h/` }],
  ["an object", { auth: { user: "x", secretly: hidden }, visible: 1 }],
  [
    "a private key",
    { pem: `visible\n-----BEGIN PRIVATE KEY-----\n${hidden}\n-----END PRIVATE KEY-----` },
  ],
  ["half a private key", { pem: `visible -----BEGIN RSA PRIVATE KEY-----\\n${hidden}` }],
  ["a private key in PGP", { pem: `visible -----BEGIN PGP PRIVATE KEY BLOCK-----\n${hidden}` }],
];
for (const key of [
  "pass",
  "PASS",
  "auth",
  "pwd",
  "userPwd",
  "dbPass",
  "smtp_pass",
  "passphrase",
  "passcode",
  "jwt",
  "Passwort",
  "DB_KENNWORT",
  "mot_de_passe",
  "motDePasse",
  "mdp",
  "contraseña",
  "CONTRASEN\u{303}A",
  "clave",
  "senha",
  "signing_key",
]) {
  cases.push([`the key ${key}`, { [key]: hidden, visible: 1 }]);
  cases.push([`the form's ${key}`, { text: `visible&${key}=${hidden}` }]);
}

describe("redactParams hides", () => {
  it.each(cases)("what is secret in %s", (_name, params) => {
    const text = json(redactParams(params));
    expect(text).not.toContain("hunter2");
    expect(text).toMatch(/visible/iu);
  });

  const word = "abcdefghijklmnopqrstuvwxyz0123456789";
  it.each([
    `ghp_${word}`,
    `gho_${word}`,
    `github_pat_${word}_${word}`,
    `glpat-${word.slice(0, 20)}`,
    "AKIAIOSFODNN7EXAMPLE",
    `sk-${word}`,
    `sk-ant-api03-${word}`,
    `sk_live_${word}`,
    `xoxb-1234567890-${word}`,
    `AIza${word}`,
    `npm_${word}`,
  ])("what looks like %s", (credential) => {
    const text = json(redactParams({ note: `visible ${credential} here` }));
    expect(text).toBe('{"note":"visible [redacted] here"}');
  });
});

describe("redactParams keeps", () => {
  it.each<[string, JsonObject]>([
    ["ordinary pairs", { list: [{ name: "color", value: "red" }, ["a", "b"], [["a", "b"]]] }],
    [
      "ordinary keys",
      { bypass: "x", compass: "n", author: "me", keyboard: "qwerty", spinner: "y" },
    ],
    ["ordinary text", { text: "The password is asked for: see token handling, authors: me" }],
    ["code", { code: "const token = await next();\nif (a.pass === b) return { token };" }],
    ["counts", { text: "max_tokens=100&n=1", json: '{"max_tokens": 100, "token": null' }],
    ["JSON with its spaces and line ends", { json: '{\n  "a" : [ 1, "b c" ]\n}\n' }],
    ["what is no JSON", { text: '{"a": ', path: "C:\\new\\table", quoted: 'say "hi"' }],
  ])("%s", (_name, params) => {
    expect(redactParams(params)).toEqual(params);
  });
});

describe("redactParams", () => {
  /** Nothing here takes longer than some hundred milliseconds; quadratic, each takes many seconds. */
  it.each([
    ["backslashes", "\\".repeat(200_000)],
    ["escaped backslashes", "\\u005cu005c".repeat(20_000)],
    ["brackets in lines", "{\n".repeat(100_000)],
    ["empty lines", "\n".repeat(200_000) + "{"],
    ["quotes", '"'.repeat(200_000)],
    ["open quotes", '{"a":"\\"'.repeat(30_000)],
    ["names", '"password":'.repeat(20_000)],
    ["names of options", "--a ".repeat(50_000)],
    ["beginnings of tokens", "eyJ-".repeat(50_000)],
    ["beginnings of JSON Web Tokens", "eyJaaaaaaaa.".repeat(20_000)],
    ["beginnings of keys", "-----BEGIN PRIVATE KEY-----".repeat(10_000)],
    ["beginnings of URLs", "://a:".repeat(50_000)],
    ["prefixes", "sk-".repeat(70_000)],
    ["words", "Bearer ".repeat(30_000)],
  ])(
    "is linear in %s, whether read whole, cut, or in many strings",
    { timeout: 4_000 },
    (_name, text) => {
      const short = text.slice(0, 16_000);
      expect(json(redactParams({ whole: short, cut: text })).length).toBeLessThan(70_000);
      const all = { maxLength: 100_000_000 };
      redactParams({ many: Array.from({ length: 60 }, () => short) }, all);
      redactParams(Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${at}${short}`, 1])));
    },
  );
});
