import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { connectToolServer } from "../../src/client/connect-tool-server.ts";
import type { AskPerson, ToolCall, ToolServer } from "../../src/client/tool-server.ts";
import type { Progress } from "../../src/core/mcp.ts";
import { startEverything } from "./support/everything-server.ts";
import type { EverythingServer } from "./support/everything-server.ts";
import { startFakeServer } from "./support/fake-server.ts";
import type { FakeServer } from "./support/fake-server.ts";
import { startLegacyServer } from "./support/legacy-server.ts";
import { startModernServer } from "./support/modern-server.ts";
import type { ModernServer } from "./support/modern-server.ts";

let server: ToolServer | undefined;
let fake: FakeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
  await fake?.close();
  fake = undefined;
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

describe("a server of the oldest transport", () => {
  test("is found by its refusal of a POST, and asks over its one stream", async () => {
    const old = await startEverything("sse");
    try {
      const found = await connect(old.url);
      expect(found.only).toBe("mcp-servers/everything");
      const onElicitation = vi
        .fn<AskPerson>()
        .mockResolvedValue({ action: "accept", content: { name: "Ada" } });
      const own = found.only ?? "";
      const answer = await found.call(own, "trigger-elicitation-request", call({ onElicitation }));
      expect(JSON.stringify(answer)).toContain("Ada");
    } finally {
      await server?.close();
      await old.close();
    }
  });

  test.each([
    ["refuses everything", 404, "HTTP 404"],
    ["knows us not", 401, "Not signed in to"],
  ])("is not one that %s", async (_what, status, said) => {
    fake = await startFakeServer((_request, response) => {
      response.writeHead(status).end();
    });
    await expect(connect(`${fake.url}/sse`)).rejects.toThrow(said);
    const asked = fake.requests.map(({ method, path }) => `${method} ${path}`);
    // `/status` is how it was found to be no gateway.
    expect(asked).toEqual([
      "GET /status",
      "POST /sse",
      ...(status === 404 ? ["POST /sse", "GET /sse"] : []),
    ]);
  });

  test("is not one that opens a stream and says nothing on it", async () => {
    fake = await startFakeServer((request, response) => {
      if (request.method === "POST" || request.path === "/status") response.writeHead(405).end();
      else response.writeHead(200, { "content-type": "text/event-stream" }).end(": hi\n\n");
    });
    await expect(connect(`${fake.url}/sse`)).rejects.toThrow("HTTP 405");
  });
});

test("a call that is interrupted is cancelled at the server before we leave", async () => {
  const interruption = new Error("interrupted");
  const controller = new AbortController();
  fake = await startLegacyServer({
    onCall: () => {
      controller.abort(interruption);
    },
  });
  const found = await connect(`${fake.url}/mcp`);
  const interrupted = found.call("legacy", "work", call({ signal: controller.signal }));
  await expect(interrupted).rejects.toBe(interruption);
  await found.close();
  server = undefined;
  const bodies = fake.requests.map(({ body }): { id?: number; method?: string } =>
    JSON.parse(body || "{}"),
  );
  const called = bodies.find(({ method }) => method === "tools/call");
  expect(bodies).toContainEqual({
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: called?.id, reason: "interrupted" },
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

  test("may not offer tools whose headers are declared wrongly", async () => {
    const found = await connect(modern.url);
    const { tools } = await found.server("modern");
    expect(tools.map(({ name }) => name)).toEqual(["strange", "ask", "vanish"]);
    await expect(found.call("modern", "wrong", call())).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("that asks several calls at once hears from each its own person", async () => {
    const found = await connect(modern.url);
    const answers = ["Ada", "Bob"].map((name) =>
      found.call(
        "modern",
        "ask",
        call({ onElicitation: () => Promise.resolve({ action: "accept", content: { name } }) }),
      ),
    );
    expect(await Promise.all(answers)).toMatchObject([
      { answered: { q: { content: { name: "Ada" } } } },
      { answered: { q: { content: { name: "Bob" } } } },
    ]);
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
