import { expect, test } from "vitest";
import { stepsOf } from "../../../src/cli/sign-in/steps-of.ts";

const login = "agent auth login --url https://mcp.example.com/mcp --profile work";
const ways = [{ type: "token", description: "A bearer token that the server's operator gave you" }];
const challenge = { resourceMetadata: "https://mcp.example.com/.well-known/x" };
const fromFile = `${login} < token.txt (a token that its operator gave you)`;
const byBrowser = `${login} --web (--device where there is no browser)`;

test("an MCP server whose challenge names resource metadata: the browser first", () => {
  expect(stepsOf(ways, { login, own: false, kind: "mcp", challenge, person: true })).toBe(
    `${byBrowser}; or ${fromFile}`,
  );
});

test("where nobody sits, what needs nobody comes first", () => {
  expect(stepsOf(ways, { login, own: false, kind: "mcp", challenge, person: false })).toBe(
    `${fromFile}; or ${login} --client-credentials --client-id <id> (its secret on stdin); or on a terminal: ${byBrowser}`,
  );
});

test("where the server was not asked: a token", () => {
  expect(stepsOf(undefined, { login, own: false, person: true })).toBe(`${login} < token.txt`);
});

test.each([[undefined], [{ scope: "a" }]])("one whose challenge is %j: a token", (none) => {
  const server = { login, own: false, kind: "mcp", challenge: none, person: true } as const;
  expect(stepsOf(ways, server)).toBe(fromFile);
});

test("a gateway says itself how: the challenge adds nothing", () => {
  const simple = [{ type: "simple", description: "" }];
  const server = { login, own: false, kind: "onedoor", challenge } as const;
  expect(stepsOf(simple, { ...server, person: true })).toBe(`${login} --email <address>`);
  expect(stepsOf(simple, { ...server, organization: "acme", person: false })).toBe(
    `${login} --email <address> --organization acme < password.txt`,
  );
});

test("one's own gateway comes first", () => {
  const own = [
    { type: "simple", description: "" },
    { type: "local", description: "" },
  ];
  expect(stepsOf(own, { login, own: true, person: true })).toBe(
    `${login} --local; or ${login} --email <address>`,
  );
});
