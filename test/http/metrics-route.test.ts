import { afterEach, describe, expect, it } from "vitest";
import { createMetrics } from "../../src/metrics/create-metrics.ts";
import type { Metrics } from "../../src/metrics/create-metrics.ts";
import { fakeUpstream, gatewayOf, serverConfiguration } from "../gateway/fakes.ts";
import { readPage, valueOf } from "../metrics/exposition.ts";
import type { Sample } from "../metrics/exposition.ts";
import { startAdministration } from "./administration-server.ts";
import type { AdministrationServer } from "./administration-server.ts";
import type { Who } from "./organizations.ts";
import { ask, good, startTestServer } from "./support.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function startKnown(): Promise<AdministrationServer> {
  const world = await startAdministration();
  ends.push(() => world.server.close(0));
  return world;
}

const newMetrics = (): Metrics => createMetrics({ version: "1.2.3", nodeVersion: "v20.1.0" });

describe("who may read /metrics", () => {
  it.each<[Who | undefined, number]>([
    [undefined, 401],
    ["viewerA", 403],
    ["editorA", 403],
    ["adminA", 403],
    ["adminB", 403],
    ["metricsA", 403],
    ["watcher", 403],
    ["metrics", 200],
    ["ops", 200],
    ["owner", 200],
  ])("%s: %d", async (who, status) => {
    const world = await startKnown();
    const answer = await world.ask(who, "/metrics");
    expect(answer.status).toBe(status);
    expect(answer.text.includes("onedoor_")).toBe(status === 200);
  });

  it("says what is missing", async () => {
    const world = await startKnown();
    expect((await world.ask("adminA", "/metrics")).json).toMatchObject({
      error: {
        code: "forbidden",
        message: expect.stringMatching(/role admin of the gateway itself.*scope metrics/u),
        hint: expect.stringContaining("agent token create"),
      },
    });
  });

  it("lets who may read it do nothing else", async () => {
    const world = await startKnown();
    for (const path of ["/servers", "/api/v1/inspect", "/api/v1/instructions", "/api/v1/audit"]) {
      expect([path, (await world.ask("metrics", path)).status]).toEqual([path, 403]);
    }
    const body = { server: "one", tool: "echo", arguments: { message: "hi" } };
    expect((await world.ask("metrics", "/api/v1/tools/call", { body })).status).toBe(403);
  });
});

async function start(names: readonly string[] = ["one"]) {
  const metrics = newMetrics();
  const upstreams = names.map((name) => fakeUpstream(name));
  const fixture = gatewayOf(upstreams, { metrics });
  const { gateway } = fixture;
  const audit = { queued: 2, dropped: 1, append: () => undefined };
  const server = await startTestServer({ gateway, metrics, audit });
  ends.push(() => server.close(0));
  const scrape = async (): Promise<Sample[]> => {
    const answer = await ask(server.port, "/metrics", { headers: good });
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    return readPage(answer.text);
  };
  return { ...fixture, port: server.port, scrape };
}

describe("the page", () => {
  it("tells calls, requests, states, queue and sessions", async () => {
    const { port, scrape } = await start();
    const call = { server: "one", tool: "echo", arguments: { message: "hi" } };
    await ask(port, "/api/v1/tools/call", { headers: good, body: call });
    await ask(port, "/api/v1/tools/call", { headers: good, body: { ...call, tool: "nothing" } });
    await ask(port, "/api/v1/tools/call", { body: call });
    await ask(port, "/servers/one", { headers: good });
    await ask(port, "/servers/nobody", { headers: good });
    await ask(port, "/no/such/path/4711", { headers: good });
    await ask(port, "/%zz", { headers: good });
    const initialize = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {} },
    };
    const accept = "application/json, text/event-stream";
    await ask(port, "/mcp", { headers: { ...good, accept }, body: initialize });

    const samples = await scrape();
    const calls = { server: "one", tool: "echo", status: "success" };
    expect(valueOf(samples, "onedoor_tool_calls_total", calls)).toBe(1);
    expect(valueOf(samples, "onedoor_upstream_state", { server: "one", state: "ready" })).toBe(1);
    expect(valueOf(samples, "onedoor_audit_queue_events")).toBe(2);
    expect(valueOf(samples, "onedoor_audit_dropped_events_total")).toBe(1);
    expect(valueOf(samples, "onedoor_mcp_sessions", { transport: "streamable_http" })).toBe(1);
    expect(valueOf(samples, "onedoor_mcp_sessions", { transport: "sse" })).toBe(0);
    const requests = (method: string, route: string, status: string): number | undefined =>
      valueOf(samples, "http_server_request_duration_seconds_count", {
        http_request_method: method,
        http_route: route,
        http_response_status_code: status,
      });
    expect(requests("POST", "/api/v1/tools/call", "200")).toBe(1);
    expect(requests("POST", "/api/v1/tools/call", "404")).toBe(1);
    expect(requests("POST", "/api/v1/tools/call", "401")).toBe(1);
    expect(requests("GET", "/servers/:name", "200")).toBe(1);
    expect(requests("GET", "/servers/:name", "404")).toBe(1);
    expect(requests("GET", "", "404")).toBe(1);
    expect(requests("GET", "", "400")).toBe(1);
    expect(requests("POST", "/mcp", "200")).toBe(1);
    // No path, user or session is in it.
    expect(JSON.stringify(samples)).not.toMatch(/4711|ada|nobody|nothing/u);
  });

  it("counts requests whose client went away before an answer", async () => {
    const { port, pool, scrape } = await start();
    const upstream = pool.upstreams.get("one");
    if (upstream === undefined) throw new Error("It is there");
    const call = { server: "one", tool: "echo", arguments: { message: "hi" } };
    const client = new AbortController();
    const called = new Promise<void>((resolve) => {
      upstream.request = ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
          resolve();
        });
    });
    const gone = fetch(`http://127.0.0.1:${port}/api/v1/tools/call`, {
      method: "POST",
      headers: { ...good, "content-type": "application/json" },
      body: JSON.stringify(call),
      signal: client.signal,
    });
    await called;
    client.abort();
    await expect(gone).rejects.toThrow("aborted");
    const unanswered = { http_route: "/api/v1/tools/call", http_response_status_code: "" };
    await expect
      .poll(async () =>
        valueOf(await scrape(), "http_server_request_duration_seconds_count", unanswered),
      )
      .toBe(1);
  });

  it("holds its form whatever servers and tools are called, and forgets removed servers", async () => {
    const hostile = ['quo"te', "new\nline", "back\\slash", "\u001b[31mred", "ünï {}", "__proto__"];
    const { port, scrape, pool, ...fixture } = await start(hostile);
    for (const server of hostile) {
      const body = { server, tool: "echo", arguments: { message: "hi" } };
      await ask(port, "/api/v1/tools/call", { headers: good, body });
    }
    const samples = await scrape();
    const called = samples.filter(({ name }) => name === "onedoor_tool_calls_total");
    expect(called.filter(({ labels }) => labels["tool"] === "echo")).toHaveLength(hostile.length);
    pool.upstreams.delete("new\nline");
    pool.upstreams.delete('quo"te');
    fixture.configure(hostile.slice(2).map((name) => serverConfiguration(name)));
    const left = await scrape();
    const servers = new Set(left.flatMap(({ labels }) => labels["server"] ?? []));
    expect([...servers].filter((name) => /quo|new/u.test(name))).toEqual([]);
    expect(servers.size).toBe(hostile.length - 2);
  });
});
