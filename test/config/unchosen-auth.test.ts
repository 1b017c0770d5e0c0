import { expect, test } from "vitest";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { load, problem } = useConfigurationFolder();

const local = { type: "local" };
const token = { type: "token", options: { tokens: [{ name: "ci", token: "${MISSING}" }] } };
const jwt = {
  type: "jwt",
  options: { issuer: "${ISSUER}", audience: "a", role: "${ROLE}", secret: "${SECRET}" },
};
const good = {
  type: "jwt",
  options: { issuer: "https://id.example.com", audience: "a", role: "viewer" },
};

test.each<[auth: object, chosen: string, type: string]>([
  [[token, jwt, local], "local", "local"],
  [[token, local], "simple", "simple"],
  [[token, jwt], "local", "local"],
  [token, "local", "local"],
  [token, "none", "none"],
  [[token, good], "jwt", "jwt"],
])("%j: a variable of what --auth %s turns off may be missing", async (auth, chosen, type) => {
  const read = await load({ auth }, { overrides: { auth: chosen } });
  expect(read.auth).toEqual([expect.objectContaining({ type })]);
});

test("one of what is on may not, wherever it stands in the list", async () => {
  const missing = "the environment variable MISSING is not set";
  const hint = "set MISSING, or write ${MISSING:-default}";
  expect(await problem({ auth: [local, token] })).toEqual([
    `FILE:12: auth[1].options.tokens[0].token: ${missing}`,
    hint,
  ]);
  expect(await problem({ auth: [jwt, token] }, { overrides: { auth: "token" } })).toEqual([
    `FILE:18: auth[1].options.tokens[0].token: ${missing}`,
    hint,
  ]);
  expect(await problem({ auth: token }, { overrides: { auth: "token" } })).toEqual([
    `FILE:8: auth.options.tokens[0].token: ${missing}`,
    hint,
  ]);
});

test("nor one elsewhere in the file", async () => {
  const mcpServers = { a: { url: "https://x.example", headers: { Authorization: "${MISSING}" } } };
  const [message] = await problem({ auth: token, mcpServers }, { overrides: { auth: "local" } });
  expect(message).toContain("mcpServers.a.headers.Authorization: the environment variable MISSING");
});

test("what else is wrong in the list is told, at its own place", async () => {
  const wrong = { ...good, options: { ...good.options, audience: 5 } };
  expect((await problem({ auth: [token, wrong] }, { overrides: { auth: "local" } }))[0]).toBe(
    "FILE:18: auth[1].options.audience: expected a text or a list of texts",
  );
  const far = { ...good, options: { ...good.options, issuer: "http://id.example.com" } };
  expect((await problem({ auth: [token, far] }, { overrides: { auth: "jwt" } }))[0]).toContain(
    "FILE:17: auth[1].options.issuer: must begin with https://",
  );
});

test("and so is what is doubted", async () => {
  const doubts: string[] = [];
  const doubtful = { ...good, options: { ...good.options, role: "admin" } };
  const overrides = { auth: "jwt" };
  await load(
    { auth: [token, doubtful] },
    { overrides, onDoubt: (doubt) => doubts.push(doubt.replace(/^.*mcp\.json:/u, "")) },
  );
  expect(doubts).toEqual([
    expect.stringMatching(/^19: auth\[1\]\.options\.role: makes everybody/u),
  ]);
});

test("a type that is none is not off", async () => {
  const [message] = await problem(
    { auth: [local, { type: "tokn", options: { token: "${MISSING}" } }] },
    { overrides: { auth: "local" } },
  );
  expect(message).toContain('auth[1].type: expected "local"');
});
