import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";

let home: Home;
let gateway: RunningGateway | undefined;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  home.remove();
});

const file = (): string => join(home.configDir, "mcp.json");
const text = (): string => readFileSync(file(), "utf8");
const agent = (args: readonly string[], stdin?: string): Promise<AgentResult> =>
  runAgent(args, { home, ...(stdin !== undefined && { stdin: { text: stdin } }) });

/** Calls a tool until the gateway has taken up the file, which it does by itself. */
async function eventually(
  args: readonly string[],
  isRight: (result: AgentResult) => boolean,
): Promise<AgentResult> {
  for (let tries = 1; ; tries += 1) {
    const result = await agent(args);
    if (isRight(result)) return result;
    if (tries === 60) throw new Error(`the gateway did not take it up: ${result.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const { command, args } = realServer("everything");
const sum = ["run", "sums/get-sum", "a=2", "b=40"];
const mine = `{
  // what I use
  "auth": { "type": "none" }, // on this machine alone
}
`;

test("a server that is added while the gateway runs can be called, switched off, removed and restored", async () => {
  gateway = await startGateway(home, mine);
  const added = await agent(["mcp", "add", "sums", "--tag", "maths", "--", command, ...args]);
  expect(added).toMatchObject({ code: 0, stdout: "Added sums\n" });
  expect(added.stderr).toBe(`Changed ${file()}; the running gateway has taken it up\n`);
  expect(text()).toContain("// what I use\n");
  expect(text()).toContain("// on this machine alone\n");
  const called = await eventually(sum, ({ code }) => code === 0);
  expect(called.stdout).toContain("42");

  await agent(["mcp", "disable", "sums"]);
  expect((await eventually(sum, ({ code }) => code !== 0)).code).toBe(2);
  await agent(["mcp", "enable", "sums"]);
  expect((await eventually(sum, ({ code }) => code === 0)).code).toBe(0);

  const before = text();
  const removed = await agent(["mcp", "remove", "sums"]);
  expect(removed).toMatchObject({ code: 0, stdout: "Removed sums\n" });
  expect(removed.stderr).toContain("To bring it back: agent mcp restore sums");
  expect((await eventually(sum, ({ code }) => code === 2)).code).toBe(2);
  expect(await agent(["mcp", "restore", "sums"])).toMatchObject({ code: 0 });
  expect((await eventually(sum, ({ code }) => code === 0)).code).toBe(0);
  expect(text()).toBe(before);
});

test("a secret from a pipe reaches the program, and stands neither in the file nor in any output", async () => {
  const secret = "Sesame-8f14e45fceea";
  gateway = await startGateway(home, mine);
  const words = ["mcp", "add", "env", "--env", "DOOR_KEY", "--", command, ...args];
  const added = await agent(words, `${secret}\n`);
  expect(added.code).toBe(0);
  expect(text()).toContain('"DOOR_KEY": "${secret:env/DOOR_KEY}"');
  const listed = await agent(["mcp", "list", "--json"]);
  for (const output of [text(), added.stdout, added.stderr, listed.stdout]) {
    expect(output).not.toContain(secret);
  }
  const shown = await eventually(["run", "env/get-env"], ({ code }) => code === 0);
  expect(shown.stdout).toContain(secret);
  expect(await agent(["mcp", "remove", "env"])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("Removed 1 secret with it: env/DOOR_KEY"),
  });
});

test("JSON from a README starts a configuration, for its owner alone", async () => {
  const readme = `## Usage\n\n\`\`\`json\n{\n  "mcpServers": {\n    "sums": ${JSON.stringify({ command, args })}, // any\n  }\n}\n\`\`\`\n`;
  const added = await agent(["mcp", "add"], readme);
  expect(added).toMatchObject({ code: 0, stdout: "Added sums\n" });
  expect(added.stderr).toBe(`Changed ${file()}; next: agent serve --background\n`);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(statSync(home.configDir).mode & 0o777).toBe(0o700);
  expect(JSON.parse(text())).toEqual({ mcpServers: { sums: { command, args } } });
  expect(await agent(["mcp", "add"], readme)).toMatchObject({
    code: 0,
    stdout: "Server sums is there already\n",
  });
  const refused = await agent(["mcp", "add", "sums", "https://x.example", "--json"]);
  expect(refused.code).toBe(2);
  expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "usage" } });
});

test("on a terminal a secret is asked for and not shown, and a removal is asked about", async () => {
  const words = ["mcp", "add", "web", "https://mcp.example.com/mcp", "--header", "Authorization"];
  const added = await agentOnTerminal(home, words, [["Authorization of web:", "Sesame-1234\r"]]);
  expect(added).toMatchObject({ code: 0, isRestored: true });
  expect(added.shown).not.toContain("Sesame");
  expect(text()).toContain('"Authorization": "${secret:web/Authorization}"');

  const kept = await agentOnTerminal(home, ["mcp", "remove", "web"], [["Remove web?", "n\r"]]);
  expect(kept.code).toBe(0);
  expect(text()).toContain('"web"');
  const gone = await agentOnTerminal(home, ["mcp", "remove", "web"], [["Remove web?", "y\r"]]);
  expect(gone.code).toBe(0);
  expect(text()).not.toContain('"web"');

  const stopped = await agentOnTerminal(home, words, [["Authorization of web:", "\u{3}"]]);
  expect(stopped).toMatchObject({ code: 130, isRestored: true });
  expect(text()).not.toContain('"web"');
});
