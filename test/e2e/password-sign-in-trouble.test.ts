import { afterEach, beforeEach, expect, test } from "vitest";
import { says, startAuthServer } from "../fixtures/auth-server.ts";
import type { AuthServerStandIn, Trouble } from "../fixtures/auth-server.ts";
import { bob, phrase } from "./sign-in/bob.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";

// What a server of no use says to a password: a stand-in plays it.

let home: Home;
let server: AuthServerStandIn;
/** What comes once the ways in were told. */
let next: Trouble | undefined;
beforeEach(async () => {
  home = createHome();
  next = undefined;
  server = await startAuthServer(({ path }) => {
    if (path === "/status") return { status: 200, json: { name: "onedoor" } };
    server.trouble = next;
    return path === "/auth" ? { status: 200, json: { required: true, ways } } : { status: 404 };
  });
});
afterEach(async () => {
  await server.close();
  home.remove();
});

const ways = [{ type: "simple", description: "With email address and password" }];

function login(url: string, ...more: string[]): Promise<AgentResult> {
  const args = ["auth", "login", "--url", url, "--email", bob, ...more];
  return runAgent(args, { home, stdin: { text: `${phrase}\n` } });
}

test.each([
  ["a page", says(200, "<html><body>", { type: "text/html" }), 3, "(text/html)"],
  ["500", says(500, "<html>", { type: "text/html" }), 3, "HTTP 500"],
  ["a token with an escape", says(200, '{"access_token":"\\u001b[2J"}'), 3, "a session"],
  ["a redirect", says(307, "", { location: "https://evil.example/x" }), 3, "redirect"],
  ["no such path", says(404, ""), 2, "has no sign-in with email address and password"],
  [
    "an error full of escape codes, with the password in it",
    says(401, JSON.stringify({ error: { code: "auth_rejected", message: `\u001b[2J${phrase}` } })),
    4,
    "nothing saved",
  ],
] as const)("%s", async (_what, trouble, code, message) => {
  next = trouble;
  const result = await login(server.url);
  expect(server.requests.at(-1)?.body).toContain(phrase);
  expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(message) });
  expect(result.stderr).not.toContain("horse");
  const status = await runAgent(["auth", "status", "--all"], { home });
  expect(status).toMatchObject({ code: 4 });
});

test("never an answer", async () => {
  next = { kind: "hangs" };
  const result = await login(server.url, "--timeout", "2");
  expect(result).toMatchObject({ code: 3, stderr: expect.stringContaining("within 2 s") });
});

test("guessing is slowed down, as the gateway does it: exit 6, with how long to wait", async () => {
  const error = { code: "rate_limited", message: "Too many sign-ins", retryAfterSeconds: 7 };
  next = says(429, JSON.stringify({ error }), { "retry-after": "7" });
  const { code, stderr } = await login(server.url, "--json");
  expect(code).toBe(6);
  expect(JSON.parse(stderr)).toEqual({
    error: {
      code: "rate_limited",
      message: `Too many sign-ins at ${server.url}; try again in 7 s; nothing saved`,
      retryAfterSeconds: 7,
    },
  });
});

test("Ctrl-C while the answer is waited for", async () => {
  const args = ["auth", "login", "--url", server.url, "--email", bob];
  const { code, isRestored } = await agentOnTerminal(home, args, [
    [
      "Password of",
      (type) => {
        const asked = server.hold();
        void asked.arrived(1).then(() => type("\u0003"));
        type(`${phrase}\r`);
      },
    ],
  ]);
  expect({ code, isRestored }).toEqual({ code: 130, isRestored: true });
});

test("a plain http address of another machine: exit 2 before a password is asked for", async () => {
  const { code, stderr } = await login("http://gate.example.com:3050");
  expect(code).toBe(2);
  expect(stderr).toContain("--insecure-http");
  expect(stderr).not.toContain("password");
});
