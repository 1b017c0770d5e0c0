import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { fakeAudit, goodToken } from "../gateway/fakes.ts";
import { gatewayBefore, programServer } from "./real-gateway.ts";

// Other people's clients before our gateway before other people's servers.

const audit = fakeAudit();
const gateway = gatewayBefore(
  [
    programServer("everything", "everything"),
    programServer("raw", "raw"),
    programServer("modern", "modern"),
  ],
  audit,
);

const toolList = z.looseObject({ tools: z.array(z.looseObject({ name: z.string() })) });
const requestInit = { headers: { authorization: `Bearer ${goodToken}` } };
const info = { name: "foreign", version: "1" };

async function connect(mode: "auto" | "legacy" | { pin: string }): Promise<Client> {
  const client = new Client(info, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(gateway.endpoint, { requestInit }));
  return client;
}

async function connectV1(): Promise<LegacyClient> {
  const client = new LegacyClient(info);
  await client.connect(new LegacyTransport(gateway.endpoint, { requestInit }));
  return client;
}

/** A call with options, which the two generations of clients take in different places. */
function callWith(
  client: Client | LegacyClient,
  params: { name: string; arguments: Record<string, unknown> },
  options: { signal?: AbortSignal; onprogress?: (progress: { progress: number }) => void },
) {
  return client instanceof LegacyClient
    ? client.callTool(params, undefined, options)
    : client.callTool(params, options);
}

/** How many cancellations the raw server has heard of. */
async function cancelledCount(client: Client | LegacyClient): Promise<number> {
  const { cancelled } = await callWith(client, { name: "raw__cancelled", arguments: {} }, {});
  return Array.isArray(cancelled) ? cancelled.length : Number.NaN;
}

/** Resolves when the gateway has handed a call of this tool to its upstream connection. */
function nextCallOf(serverName: string, tool: string): Promise<void> {
  const upstream = gateway.pool.upstreams.get(serverName);
  if (upstream === undefined) throw new Error(`No server ${serverName}`);
  const request = upstream.request.bind(upstream);
  return new Promise((resolve) => {
    upstream.request = (asked) => {
      const result = request(asked);
      if (asked.params["name"] === tool) resolve();
      return result;
    };
  });
}

const clients: [name: string, open: () => Promise<Client | LegacyClient>, version: string][] = [
  ["client, auto", () => connect("auto"), "2026-07-28"],
  ["client, pinned modern", () => connect({ pin: "2026-07-28" }), "2026-07-28"],
  ["client, legacy", () => connect("legacy"), "2025-11-25"],
  ["sdk v1", connectV1, "2025-11-25"],
];

describe.each(clients)("%s", (_name, open, version) => {
  let client: Client;
  beforeAll(async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both have what is used here
    client = (await open()) as Client;
  });
  afterAll(() => client.close());

  it("connects and is told what to know", () => {
    expect(client.getServerVersion()).toMatchObject({ name: "onedoor" });
    expect(client.getInstructions()).toContain("Said by raw:\n| Be careful.");
    expect(version).toBe(client.getNegotiatedProtocolVersion?.() ?? "2025-11-25");
  });

  it("lists the tools of all servers", async () => {
    // Not `listTools`: one of the servers lists fields that typed clients refuse, as it may.
    const { tools } = await client.request({ method: "tools/list", params: {} }, toolList);
    const names = tools.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["everything__echo", "raw__rpc-error", "modern__strange"]),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it("calls tools of either era and gets their answers", async () => {
    const echoed = await client.callTool({
      name: "everything__echo",
      arguments: { message: "hello" },
    });
    expect(echoed.content).toEqual([{ type: "text", text: "Echo: hello" }]);
    const sum = await client.callTool({ name: "everything__get-sum", arguments: { a: 1, b: 2 } });
    expect(sum.content).toMatchObject([{ text: expect.stringContaining("3") }]);
    const image = await client.callTool({ name: "everything__get-tiny-image", arguments: {} });
    expect(image.content).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: "image", mimeType: "image/png" })]),
    );
    const structured = await client.callTool({
      name: "everything__get-structured-content",
      arguments: { location: "New York" },
    });
    expect(structured.structuredContent).toMatchObject({ temperature: expect.any(Number) });
  });

  it("hears of progress, in order and before the result", async () => {
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
    const params = {
      name: "everything__trigger-long-running-operation",
      arguments: { duration: 0.4, steps: 4 },
    };
    const result = await callWith(client, params, { onprogress });
    expect(heard).toEqual([1, 2, 3, 4]);
    expect(result.content).toMatchObject([{ text: expect.stringContaining("completed") }]);
  });

  it("gets errors as errors", async () => {
    await expect(client.callTool({ name: "raw__rpc-error", arguments: {} })).rejects.toMatchObject({
      code: -32042,
      message: expect.stringContaining("line one\nline two"),
      data: { url: "x", list: [1] },
    });
    await expect(
      client.callTool({ name: "everything__ehco", arguments: {} }),
    ).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining("Did you mean everything__echo?"),
    });
    const wrong = await client.callTool({ name: "everything__echo", arguments: { message: 1 } });
    expect(wrong).toMatchObject({ isError: true });
  });

  it("cancels a call, and the upstream server hears of it", async () => {
    const cancellation = new AbortController();
    const params = { name: "raw__hang", arguments: {} };
    const rows = audit.events.length;
    const before = await cancelledCount(client);
    const sentOn = nextCallOf("raw", "hang");
    const pending = callWith(client, params, { signal: cancellation.signal });
    const failed = pending.catch((error: unknown) => error);
    await sentOn;
    cancellation.abort("enough");
    expect(await failed).toBeInstanceOf(Error);
    await expect
      .poll(() => audit.events.slice(rows).map(({ toolName, status }) => [toolName, status]))
      .toContainEqual(["raw__hang", "error"]);
    await expect.poll(() => cancelledCount(client)).toBe(before + 1);
  });

  it("is in the audit by its name", () => {
    const last = audit.events.at(-1);
    expect(last).toMatchObject({ clientName: "foreign", userId: "ada" });
    expect(typeof last?.sessionId).toBe(version === "2026-07-28" ? "object" : "string");
  });
});

it("lets nobody connect with a wrong token", async () => {
  const headers = { authorization: "Bearer wrong-token" };
  for (const mode of ["auto", "legacy"] as const) {
    const client = new Client(info, { versionNegotiation: { mode } });
    const transport = new StreamableHTTPClientTransport(gateway.endpoint, {
      requestInit: { headers },
    });
    await expect(client.connect(transport)).rejects.toThrow(/401|Unauthorized|not known/iu);
  }
});
