import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEverything } from "../client/support/everything-server.ts";
import type { EverythingServer } from "../client/support/everything-server.ts";
import { startFakeServer } from "../client/support/fake-server.ts";
import { errorLine, startSignedInGateway } from "./run-bench.ts";
import type { SignedInGateway } from "./run-bench.ts";
import { runAgent } from "./support/agent.ts";
import { createHome } from "./support/home.ts";

let up: SignedInGateway;
beforeAll(async () => {
  up = await startSignedInGateway();
});
afterAll(async () => {
  await up.stop();
});

test("lists the servers, the dead and the slow beside the living", async () => {
  const { code, stdout } = await up.agent(["inspect"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^NAME +STATE +TOOLS +PROMPTS +RESOURCES +TEMPLATES +TAGS +REASON\n/u);
  expect(stdout).toMatch(/^everything +ready +13 +4 +7 +2 +demo/mu);
  expect(stdout).toMatch(/^down +unavailable +- +- +- +- +- +\S/mu);
  expect(stdout).toMatch(/^slow +(?:starting|unavailable) /mu);
});

test("gives a script the same as JSON", async () => {
  const { code, stdout } = await up.agent(["inspect", "--json", "-q"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    servers: expect.arrayContaining([
      {
        name: "everything",
        state: "ready",
        reason: null,
        toolCount: 13,
        counts: { prompts: 4, resources: 7, resourceTemplates: 2 },
        tags: ["demo"],
      },
    ]),
    nextCursor: null,
  });
});

test("lists a server's tools as lines that can be called", async () => {
  const { code, stdout } = await up.agent(["inspect", "everything"]);
  expect(code).toBe(0);
  expect(stdout).toContain("\neverything/echo message=<string>\n");
  expect(stdout).toContain("\neverything/get-sum a=<number> b=<number>\n");
});

test("goes through a long list page by page", async () => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const at: string[] = cursor === null ? [] : ["--cursor", cursor];
    const { stdout } = await up.agent(["inspect", "everything", "--json", "--limit", "5", ...at]);
    const page: { tools: { name: string }[]; nextCursor: string | null } = JSON.parse(stdout);
    seen.push(...page.tools.map(({ name }) => name));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(new Set(seen).size).toBe(13);
});

test("shows a tool with its schema", async () => {
  const text = await up.agent(["inspect", "everything/get-sum"]);
  expect(text.stdout).toContain("agent run everything/get-sum a=<number> b=<number>\n");
  const json = await up.agent(["inspect", "everything/get-sum", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    server: "everything",
    tool: { name: "get-sum", inputSchema: { required: ["a", "b"] } },
  });
});

test("shows why a server is down and what it last said, and fails", async () => {
  const { code, stdout, stderr } = await up.agent(["inspect", "down"]);
  expect(code).toBe(3);
  expect(stdout).toContain("no licence");
  expect(stderr).toMatch(/agent: down is (?:unavailable|starting)/u);
  const tool = await up.agent(["inspect", "down/anything", "--json", "-q"]);
  expect(tool.code).toBe(3);
  expect(errorLine(tool)).toMatchObject({ error: { code: "upstream_unavailable" } });
});

test.each([
  [["inspect", "evrything"], "Did you mean everything?"],
  [["inspect", "everything/ecko"], "Did you mean everything/echo?"],
])("%j is met with a suggestion", async (args, hint) => {
  const result = await up.agent([...args, "--json", "-q"]);
  expect(result.code).toBe(2);
  expect(errorLine(result)).toMatchObject({ error: { code: "not_found", hint } });
});

test.each([
  ["inspect everything --json --all | head -1", "{\n"],
  ["inspect everything --json --all | true", ""],
])("a reader who leaves is no failure: %s", async (line, expected) => {
  const { codes, stdout, stderr } = await up.bash(`agent -q ${line}`);
  expect(stdout).toBe(expected);
  expect(stderr).toBe("");
  expect(codes).toEqual([0, 0]);
});

test("without a sign-in: 4, and the way to it", async () => {
  const stranger = createHome();
  try {
    const result = await runAgent(["inspect", "--url", up.gateway.url, "--json", "-q"], {
      home: stranger,
    });
    expect(result.code).toBe(4);
    expect(errorLine(result)).toMatchObject({
      error: { code: "auth_required", hint: `agent auth login --url ${up.gateway.url}` },
    });
    const wrong = await runAgent(["inspect", "--url", up.gateway.url, "--json", "-q"], {
      home: stranger,
      env: { ONEDOOR_TOKEN: "od_wrong-token-of-nobody" },
    });
    expect(wrong.code).toBe(4);
    expect(errorLine(wrong)).toMatchObject({ error: { code: "auth_rejected" } });
    expect(wrong.stdout + wrong.stderr).not.toContain("od_wrong");
  } finally {
    stranger.remove();
  }
});

test("without a gateway: 3, and the way to one", async () => {
  const home = createHome();
  try {
    const result = await runAgent(["inspect", "--json", "-q"], { home });
    expect(result.code).toBe(3);
    expect(errorLine(result)).toMatchObject({
      error: { code: "unreachable", hint: expect.stringContaining("agent serve --background") },
    });
  } finally {
    home.remove();
  }
});

describe("what answers is", () => {
  let everything: EverythingServer;
  beforeAll(async () => {
    everything = await startEverything();
  });
  afterAll(async () => {
    await everything.close();
  });

  test("an MCP server: its tools are listed by their own names", async () => {
    const { code, stdout } = await up.agent(["inspect", "--url", everything.url, "-q"]);
    expect(code).toBe(0);
    expect(stdout).toContain("\necho message=<string>\n");
    const tool = await up.agent([
      "inspect",
      "--url",
      everything.url,
      "mcp-servers/everything/echo",
    ]);
    expect(tool.stdout).toContain(`agent run --url ${everything.url} echo message=<string>`);
  });

  test("a web page: said to be no MCP server", async () => {
    const page = await startFakeServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>\u001b[31m</html>");
    });
    try {
      const result = await up.agent(["inspect", "--url", page.url, "--json", "-q"]);
      expect(result.code).toBe(3);
      expect(errorLine(result)).toMatchObject({ error: { code: "unreachable" } });
    } finally {
      await page.close();
    }
  });

  test("silent: over when the deadline is", async () => {
    const silent = await startFakeServer(() => undefined);
    try {
      const args = ["inspect", "--url", silent.url, "--json", "-q", "--timeout", "0.3"];
      const result = await up.agent(args);
      expect(result.code).toBe(3);
      expect(errorLine(result)).toMatchObject({ error: { code: "timeout" } });
    } finally {
      await silent.close();
    }
  });
});
