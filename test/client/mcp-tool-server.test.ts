import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { connectToolServer } from "../../src/client/connect-tool-server.ts";
import type { AskPerson, ToolCall, ToolServer } from "../../src/client/tool-server.ts";
import type { Progress } from "../../src/core/mcp.ts";
import { startEverything } from "./support/everything-server.ts";
import type { EverythingServer } from "./support/everything-server.ts";
import { startModernServer } from "./support/modern-server.ts";
import type { ModernServer } from "./support/modern-server.ts";

let server: ToolServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function connect(endpoint: string): Promise<ToolServer> {
  server = await connectToolServer({
    endpoint,
    kind: "unknown",
    clientName: "test",
    signal: AbortSignal.timeout(20_000),
  });
  return server;
}

function call(more: Partial<ToolCall> = {}): ToolCall {
  return {
    arguments: {},
    untyped: {},
    signal: AbortSignal.timeout(20_000),
    timeoutMs: 1000,
    ...more,
  };
}

describe("server-everything (legacy era)", () => {
  const own = "mcp-servers/everything";
  let everything: EverythingServer;
  beforeAll(async () => {
    everything = await startEverything();
  });
  afterAll(async () => {
    await everything.close();
  });

  test("is its own only server, found at /mcp too when that was left out", async () => {
    const found = await connect(new URL(everything.url).origin);
    expect(found).toMatchObject({ kind: "mcp", only: own });
    const { servers } = await found.inventory();
    expect(servers).toEqual([{ name: own, state: "ready", toolCount: 14, tags: [] }]);
    const page = await found.server(own);
    expect(page.tools.map(({ name }) => name)).toContain("echo");
    expect(page.instructions).toContain("Everything Server");
  });

  test("a target is a tool, or the server's own name before it", async () => {
    const found = await connect(everything.url);
    expect(await found.resolve("echo")).toEqual({ server: own, tool: "echo" });
    expect(await found.resolve(`${own}/echo`)).toEqual({ server: own, tool: "echo" });
    expect(await found.resolve(own)).toEqual({ server: own });
    expect(await found.resolve(`${own}/`)).toEqual({ server: own });
    expect(await found.resolve("ecko")).toEqual({ server: own, tool: "ecko" });
  });

  test.each([
    ["ecko", "Did you mean echo?"],
    ["everything/echo", "Did you mean echo?"],
    ["zzzzzzzz", "agent inspect lists its tools"],
  ])("an unknown tool %s gets the hint %j", async (tool, hint) => {
    const found = await connect(everything.url);
    const expected = { code: "not_found", hint };
    await expect(found.tool(own, tool)).rejects.toMatchObject(expected);
    await expect(found.call(own, tool, call())).rejects.toMatchObject(expected);
  });

  test("types key=value by the schema, and fills the missing string with piped text", async () => {
    const found = await connect(everything.url);
    const sum = await found.call(
      own,
      "get-sum",
      call({ arguments: { a: 1 }, untyped: { b: "2" } }),
    );
    expect(sum).toMatchObject({ content: [{ text: "The sum of 1 and 2 is 3." }] });
    const echo = await found.call(own, "echo", call({ text: "piped" }));
    expect(echo).toMatchObject({ content: [{ text: "Echo: piped" }] });
  });

  test.each([
    [{}, '"a" is missing'],
    [{ untyped: { a: "1", b: "x" } }, '"b" must be a number'],
    [{ arguments: { a: 1, b: "2" } }, '"b" must be number'],
  ])("wrong arguments %j are refused before the call", async (given, problem) => {
    const found = await connect(everything.url);
    await expect(found.call(own, "get-sum", call(given))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(problem),
    });
  });

  test("a misspelt argument that the schema lets through is told", async () => {
    const found = await connect(everything.url);
    const doubts: string[] = [];
    const given = call({
      arguments: { a: 1, b: 2 },
      untyped: { bb: "3" },
      onDoubt: (sentence) => doubts.push(sentence),
    });
    await found.call(own, "get-sum", given);
    expect(doubts).toEqual(['The tool names no argument "bb"; did you mean "b"?']);
  });

  test("progress comes through", async () => {
    const found = await connect(everything.url);
    const onProgress = vi.fn<(progress: Progress) => void>();
    const untyped = { duration: "0.2", steps: "2" };
    await found.call(own, "trigger-long-running-operation", call({ untyped, onProgress }));
    expect(onProgress.mock.calls.map(([progress]) => progress)).toEqual([
      expect.objectContaining({ progress: 1, total: 2 }),
      expect.objectContaining({ progress: 2, total: 2 }),
    ]);
  });

  test("an interrupted call ends at once, for the reason of the interruption", async () => {
    const found = await connect(everything.url);
    const controller = new AbortController();
    const interruption = new Error("interrupted");
    const onProgress = (): void => {
      controller.abort(interruption);
    };
    const untyped = { duration: "600", steps: "6000" };
    await expect(
      found.call(
        own,
        "trigger-long-running-operation",
        call({ untyped, signal: controller.signal, onProgress }),
      ),
    ).rejects.toBe(interruption);
  });

  test("an elicitation is declined when there is nobody to ask, and else answered", async () => {
    const found = await connect(everything.url);
    const declined = await found.call(own, "trigger-elicitation-request", call());
    expect(JSON.stringify(declined)).toContain("declined");
    const onElicitation = vi
      .fn<AskPerson>()
      .mockResolvedValue({ action: "accept", content: { name: "Ada" } });
    const accepted = await found.call(own, "trigger-elicitation-request", call({ onElicitation }));
    expect(JSON.stringify(accepted)).toContain("Ada");
    expect(onElicitation).toHaveBeenCalledWith(
      expect.objectContaining({ message: expect.any(String), requestedSchema: expect.any(Object) }),
    );
  });

  test("instructions name the tools and quote the server", async () => {
    const found = await connect(everything.url);
    const text = await found.instructions();
    expect(text).toMatch(
      /^=== PLAYBOOK ===\n[^]*\n=== SERVER SUMMARY ===\n[^]*\n=== SERVER DETAILS ===\n/u,
    );
    expect(text).toContain(`\n- ${own}\n  echo message=<string>\n`);
    expect(text).toContain(`  Said by ${own}:\n| # Everything Server`);
  });
});

describe("a server of the modern era", () => {
  let modern: ModernServer;
  beforeAll(async () => {
    modern = await startModernServer();
  });
  afterAll(async () => {
    await modern.close();
  });

  test("is spoken to as such, every field kept both ways", async () => {
    const found = await connect(modern.url);
    expect(await found.tool("modern", "strange")).toMatchObject({ "x-vendor": { kept: true } });
    const result = await found.call(
      "modern",
      "strange",
      call({ arguments: { region: "eu", x: [1] } }),
    );
    expect(result).toMatchObject({
      content: [{ type: "hologram", frames: [1] }],
      got: { region: "eu", x: [1] },
      "x-unknown": [true],
    });
    expect(modern.callHeaders.at(-1)).toMatchObject({
      "mcp-param-region": "eu",
      "mcp-name": "strange",
    });
  });

  test("asks back within the result, and gets its answer", async () => {
    const found = await connect(modern.url);
    const onElicitation = vi.fn<AskPerson>().mockResolvedValue({ action: "accept", content: {} });
    expect(await found.call("modern", "ask", call({ onElicitation }))).toMatchObject({
      answered: { q: { action: "accept", content: {} } },
    });
    expect(await found.call("modern", "ask", call())).toMatchObject({
      answered: { q: { action: "decline" } },
    });
  });

  test("that ends its stream without a result is said to have done so", async () => {
    const found = await connect(modern.url);
    await expect(found.call("modern", "vanish", call())).rejects.toMatchObject({
      code: "unreachable",
      hint: expect.stringContaining("not known"),
    });
  });
});
