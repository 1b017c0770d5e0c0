import { expect, test } from "vitest";
import { KnownSecrets } from "../../src/cli/known-secrets.ts";

function knowing(...tokens: readonly string[]): KnownSecrets {
  const secrets = new KnownSecrets();
  for (const token of tokens) secrets.add(token);
  return secrets;
}

test("a known bearer is masked as it is, in JSON and percent-encoded, wherever it stands", () => {
  const token = 'a"b/c+d\\e';
  const text = `${token} ${JSON.stringify({ token })} ?t=${encodeURIComponent(token)} ${token}`;
  expect(knowing(token).mask(text)).toBe('**** {"token":"****"} ?t=**** ****');
});

test("a bearer that holds another leaves no rest, in whichever order they were learnt", () => {
  for (const tokens of [
    ["secret1", "secret1-longer"],
    ["secret1-longer", "secret1"],
  ]) {
    expect(knowing(...tokens).mask("x secret1-longer y secret1")).toBe("x **** y ****");
  }
});

test("what is as short as a word is none, and nothing is masked before it is known", () => {
  expect(knowing("", "ok", "admin").mask("ok, admin")).toBe("ok, admin");
  expect(knowing().mask("secret1")).toBe("secret1");
});

test("in JSON only texts are masked: no bearer breaks it, or takes a key of ours away", () => {
  const rows = [{ url: "https://x", result: "ok", said: 'it is "result": or a-long-bearer-of-20' }];
  const json = JSON.stringify(rows, null, 2);
  const masked = knowing('"result":', "result", "a-long-bearer-of-20").maskJson(json);
  expect(JSON.parse(masked)).toEqual([
    { url: "https://x", result: "ok", said: "it is **** or ****" },
  ]);
});

test("in JSON a bearer is found as a key too, and behind escapes", () => {
  const token = "a-bearer-of-more-than-twenty";
  const escaped = token.replace("-", String.raw`\u002d`);
  const json = `{"${token}" : 1, "${escaped}": "${escaped}", "n": [true, null, 2]}`;
  expect(knowing(token).maskJson(json)).toBe('{"****" : 1, "****": "****", "n": [true, null, 2]}');
});
