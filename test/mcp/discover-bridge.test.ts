import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { afterEach, describe, expect, it } from "vitest";
import { fakeAudit, fakeUpstream, gatewayOf, goodToken } from "../gateway/fakes.ts";
import { startTestServer } from "../http/support.ts";
import { gatewayBefore, programServer } from "./real-gateway.ts";

// Behind `tool_call` a tool asks, reports and is cancelled as it is when it is called by its name: other people's
// clients of both eras before our gateway before other people's servers of both.

const own = { connection: "session", connectionWritten: true } as const;
const audit = fakeAudit();
const gateway = gatewayBefore(
  [programServer("legacy", "everything", own), programServer("modern", "modern", own)],
  audit,
);

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  audit.events.length = 0;
});

const requestInit = { headers: { authorization: `Bearer ${goodToken}` } };
type Open = (endpoint: URL) => Promise<{ client: Client; asked: unknown[] }>;

const opening =
  (mode: "legacy" | "auto", path: "/mcp" | "/sse"): Open =>
  async (endpoint) => {
    const client = new Client(
      { name: "bridge", version: "1" },
      { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
    );
    const asked: unknown[] = [];
    client.setRequestHandler("elicitation/create", ({ params }) => {
      asked.push(params);
      return { action: "accept" as const, content: { name: "ada" } };
    });
    const url = new URL(`${path}?mode=discover`, endpoint);
    const transport =
      path === "/mcp"
        ? new StreamableHTTPClientTransport(url, { requestInit })
        : new SSEClientTransport(url, {
            requestInit,
            eventSourceInit: {
              fetch: (to, init) =>
                fetch(to, { ...init, headers: { ...init.headers, ...requestInit.headers } }),
            },
          });
    await client.connect(transport);
    ends.push(() => client.close());
    return { client, asked };
  };

const clients: [name: string, open: Open][] = [
  ["modern, Streamable HTTP", opening("auto", "/mcp")],
  ["legacy, Streamable HTTP", opening("legacy", "/mcp")],
  ["legacy, HTTP+SSE", opening("legacy", "/sse")],
];
const call = (name: string, args: object = {}) => ({
  name: "tool_call",
  arguments: { name, arguments: args },
});

describe.each(clients)("a client: %s", (_name, open) => {
  it("is offered three tools and finds the others", async () => {
    const { client } = await open(gateway.endpoint);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["tool_list", "tool_schema", "tool_call"]);
    expect(client.getInstructions()).toContain("`tool_list` finds tools");
    const found = await client.callTool({ name: "tool_list", arguments: { query: "sum" } });
    expect(JSON.stringify(found)).toContain("legacy__get-sum");
  });

  it.each([
    ["legacy", "legacy__trigger-elicitation-request", "Name: ada"],
    ["modern", "modern__ask", '"name":"ada"'],
  ])("is asked by a %s server, and the call goes on with its answer", async (_era, tool, says) => {
    const { client, asked } = await open(gateway.endpoint);
    const result = await client.callTool(call(tool));
    expect(JSON.stringify(result)).toContain(says);
    expect(asked).toHaveLength(1);
    expect(new Set(audit.events.map(({ toolName }) => toolName))).toEqual(new Set([tool]));
  });

  it("hears of progress", async () => {
    const { client } = await open(gateway.endpoint);
    const heard: unknown[] = [];
    await client.callTool(
      call("legacy__trigger-long-running-operation", { duration: 0.2, steps: 2 }),
      { onprogress: (progress) => void heard.push(progress) },
    );
    expect(heard).toContainEqual(expect.objectContaining({ progress: 1, total: 2 }));
  });

  it("cancels the tool that runs", async () => {
    const one = fakeUpstream("one");
    const fixture = gatewayOf([one]);
    const server = await startTestServer({ gateway: fixture.gateway });
    ends.push(() => server.close(0));
    const { client } = await open(new URL(`http://127.0.0.1:${server.port}`));
    const cancelling = new AbortController();
    const cancelled = new Promise<void>((resolve) => {
      one.answer = ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            resolve();
            reject(signal.reason);
          });
          cancelling.abort();
        });
    });
    await expect(
      client.callTool(call("one__echo", { message: "x" }), { signal: cancelling.signal }),
    ).rejects.toThrow(/abort/iu);
    await cancelled;
  });

  it("hears of changed prompts, and of no changed tools", async () => {
    const one = fakeUpstream("one");
    const fixture = gatewayOf([one]);
    const server = await startTestServer({ gateway: fixture.gateway });
    ends.push(() => server.close(0));
    const { client } = await open(new URL(`http://127.0.0.1:${server.port}`));
    const heard: string[] = [];
    for (const method of [
      "notifications/tools/list_changed",
      "notifications/prompts/list_changed",
    ] as const) {
      client.setNotificationHandler(method, () => void heard.push(method));
    }
    await client.listTools();
    await client.listPrompts();
    if (client.getNegotiatedProtocolVersion() === "2026-07-28") {
      const ended = new AbortController();
      ends.push(() => Promise.resolve(ended.abort()));
      await client.listen(
        { toolsListChanged: true, promptsListChanged: true },
        { signal: ended.signal },
      );
    }
    one.listing = { ...one.listing, tools: [], prompts: [{ name: "new" }] };
    fixture.pool.changed();
    await expect.poll(() => heard).toContain("notifications/prompts/list_changed");
    expect(heard).not.toContain("notifications/tools/list_changed");
  });
});
