import { afterEach, beforeEach, expect, test } from "vitest";
import { startEverything } from "../client/support/everything-server.ts";
import { startModernServer } from "../client/support/modern-server.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

// What a server behind the gateway asks is declined where there is no terminal (stdin is /dev/null here).

let home: Home;
const ends: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  home.remove();
});

const note = "Declined: there is no terminal to answer on";

async function runBehindGateway(url: string, tool: string): Promise<AgentResult> {
  const gateway = await startGateway(home, { mcpServers: { asker: { url } } });
  ends.push(() => gateway.stop());
  await runAgent(["auth", "login"], { home });
  await runAgent(["wait", "asker"], { home });
  return runAgent(["run", `asker/${tool}`, "--format", "json"], { home });
}

test("by a legacy server over HTTP", async () => {
  const server = await startEverything();
  ends.push(() => server.close());
  const result = await runBehindGateway(server.url, "trigger-elicitation-request");
  expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining(note) });
  expect(result.stdout).toContain("User declined to provide the requested information");
});

test("by a modern server over HTTP", async () => {
  const server = await startModernServer();
  ends.push(() => server.close());
  const result = await runBehindGateway(server.url, "ask");
  expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining(note) });
  expect(JSON.parse(result.stdout)).toMatchObject({ answered: { q: { action: "decline" } } });
});
