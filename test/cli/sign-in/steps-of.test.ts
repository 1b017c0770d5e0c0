import { expect, test } from "vitest";
import { stepsOf } from "../../../src/cli/sign-in/steps-of.ts";

const url = "https://mcp.example.com/mcp";
const login = `agent auth login --url ${url}`;
const ways = [{ type: "token", description: "A bearer token that the server's operator gave you" }];
const fromFile = `with a token that its operator gave you: ${login} < token.txt`;

test("an MCP server whose challenge names resource metadata: the browser first", () => {
  const challenge = { resourceMetadata: "https://mcp.example.com/.well-known/x" };
  expect(stepsOf(ways, { url, own: false, kind: "mcp", challenge })).toBe(
    `Ways to sign in: in the browser: ${login} --web (--device where there is no browser); ${fromFile}`,
  );
});

test.each([[undefined], [{ scope: "a" }]])("one whose challenge is %j: a token", (challenge) => {
  expect(stepsOf(ways, { url, own: false, kind: "mcp", challenge })).toBe(
    `Ways to sign in: ${fromFile}`,
  );
});

test("a gateway says itself how: the challenge adds nothing", () => {
  const challenge = { resourceMetadata: "https://mcp.example.com/.well-known/x" };
  const simple = [{ type: "simple", description: "" }];
  expect(stepsOf(simple, { url, own: false, kind: "onedoor", challenge })).toBe(
    `Ways to sign in: simple: ${login} --email <address>`,
  );
});
