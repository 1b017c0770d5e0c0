import { describe, expect, it } from "vitest";
import { createMetrics } from "../../src/metrics/create-metrics.ts";
import type { Metrics, MetricSources } from "../../src/metrics/create-metrics.ts";
import { readPage, valueOf } from "./exposition.ts";
import type { Sample } from "./exposition.ts";

const sourcesOf = (names: readonly string[]): MetricSources => ({
  upstreams: () => names.map((name) => ({ name, state: "ready" })),
  audit: { queued: 3, dropped: 4 },
  sessions: () => [
    { transport: "streamable_http", count: 5 },
    { transport: "sse", count: 6 },
  ],
});

const scrape = async (metrics: Metrics, sources = sourcesOf(["one"])): Promise<Sample[]> =>
  readPage(await metrics.text(sources));

const start = (labelLimits?: {
  tools: number;
  toolsOfServer: number;
  durations: number;
}): Metrics => createMetrics({ version: "1.2.3", nodeVersion: "v20.1.0", labelLimits });

const ended = { server: "one", tool: "echo", status: "success", durationMs: 15 } as const;

describe("tool calls", () => {
  it("are one series where names are shown alike, in each bucket that is not below them", async () => {
    const metrics = start();
    const long = "x".repeat(500);
    metrics.callEnded({ ...ended, tool: `${long}a`, durationMs: 10 });
    metrics.callEnded({ ...ended, tool: `${long}b`, durationMs: 1_000_000 });
    const samples = (await scrape(metrics)).filter(({ labels }) => labels["server"] === "one");
    const valuesOf = (name: string): number[] =>
      samples.filter((sample) => sample.name === name).map(({ value }) => value);
    expect(valuesOf("onedoor_tool_calls_total")).toEqual([2]);
    const duration = "mcp_server_operation_duration_seconds";
    expect([valuesOf(`${duration}_sum`), valuesOf(`${duration}_count`)]).toEqual([[1000.01], [2]]);
    expect(valuesOf(`${duration}_bucket`)).toEqual([...Array.from({ length: 14 }, () => 1), 2]);
  });

  it("are counted by server, tool and status, and timed", async () => {
    const metrics = start();
    metrics.callEnded(ended);
    metrics.callEnded({ ...ended, durationMs: 3_000 });
    metrics.callEnded({ ...ended, status: "error" });
    metrics.callEnded({ ...ended, status: "error", errorCode: "timeout" });
    metrics.callEnded({ ...ended, status: "denied", errorCode: "forbidden" });
    metrics.callEnded({ ...ended, tool: undefined, status: "denied", errorCode: "rate_limited" });
    metrics.callEnded({
      ...ended,
      server: undefined,
      tool: undefined,
      status: "error",
      errorCode: "not_found",
    });
    const samples = await scrape(metrics);
    const calls = samples.filter(({ name }) => name === "onedoor_tool_calls_total");
    expect(calls).toEqual([
      {
        name: "onedoor_tool_calls_total",
        labels: { server: "one", tool: "echo", status: "success" },
        value: 2,
      },
      {
        name: "onedoor_tool_calls_total",
        labels: { server: "one", tool: "echo", status: "error" },
        value: 2,
      },
      {
        name: "onedoor_tool_calls_total",
        labels: { server: "one", tool: "echo", status: "denied" },
        value: 1,
      },
      {
        name: "onedoor_tool_calls_total",
        labels: { server: "one", tool: "", status: "denied" },
        value: 1,
      },
      {
        name: "onedoor_tool_calls_total",
        labels: { server: "", tool: "", status: "error" },
        value: 1,
      },
    ]);
    const denied = (reason: string): number | undefined =>
      valueOf(samples, "onedoor_tool_call_denials_total", { server: "one", reason });
    expect([denied("forbidden"), denied("rate_limited"), denied("not_found")]).toEqual([
      1,
      1,
      undefined,
    ]);
    const duration = "mcp_server_operation_duration_seconds";
    const good = {
      server: "one",
      gen_ai_tool_name: "echo",
      mcp_method_name: "tools/call",
      error_type: "",
    };
    expect(valueOf(samples, `${duration}_bucket`, { ...good, le: "0.01" })).toBe(0);
    expect(valueOf(samples, `${duration}_bucket`, { ...good, le: "0.02" })).toBe(1);
    expect(valueOf(samples, `${duration}_bucket`, { ...good, le: "+Inf" })).toBe(2);
    expect(valueOf(samples, `${duration}_count`, good)).toBe(2);
    expect(valueOf(samples, `${duration}_sum`, good)).toBeCloseTo(3.015);
    for (const error_type of ["tool_error", "timeout", "forbidden"]) {
      expect(valueOf(samples, `${duration}_count`, { ...good, error_type })).toBe(1);
    }
  });

  it.each([Number.NaN, -5, Infinity])("never fail for a duration of %d", async (durationMs) => {
    const metrics = start();
    metrics.callEnded({ ...ended, durationMs });
    expect(valueOf(await scrape(metrics), "mcp_server_operation_duration_seconds_sum")).toBe(0);
  });

  it("are forgotten with their server at the next scrape, and counted anew when it is back", async () => {
    const metrics = start();
    metrics.callEnded({ ...ended, status: "denied", errorCode: "forbidden" });
    metrics.callEnded({ ...ended, server: "two" });
    const left = await scrape(metrics, sourcesOf(["two"]));
    expect(left.filter(({ labels }) => labels["server"] === "one")).toEqual([]);
    expect(valueOf(left, "onedoor_tool_calls_total", { server: "two" })).toBe(1);
    metrics.callEnded(ended);
    const back = await scrape(metrics);
    expect(valueOf(back, "onedoor_tool_calls_total", { server: "one" })).toBe(1);
    expect(back.filter(({ labels }) => labels["server"] === "two")).toEqual([]);
  });

  it("of ever new tools share a label beyond the limits, server by server; none is lost", async () => {
    const metrics = start({ tools: 5, toolsOfServer: 3, durations: 4 });
    for (const server of ["one", "two"]) {
      for (let tool = 0; tool < 10; tool += 1)
        metrics.callEnded({ ...ended, server, tool: `t${tool}` });
    }
    const samples = await scrape(metrics, sourcesOf(["one", "two"]));
    const toolsOf = (name: string, label: string): string[] =>
      samples
        .filter((sample) => sample.name === name)
        .map(({ labels, value }) => `${labels["server"]} ${labels[label]} ${value}`);
    expect(toolsOf("onedoor_tool_calls_total", "tool")).toEqual([
      "one t0 1",
      "one t1 1",
      "one t2 1",
      "one _OTHER 7",
      "two t0 1",
      "two t1 1",
      "two _OTHER 8",
    ]);
    expect(toolsOf("mcp_server_operation_duration_seconds_count", "gen_ai_tool_name")).toEqual([
      "one t0 1",
      "one t1 1",
      "one t2 1",
      "one _OTHER 7",
      "two t0 1",
      "two _OTHER 9",
    ]);
    // What a removed server held is free for others.
    await scrape(metrics, sourcesOf(["two"]));
    for (let tool = 5; tool < 8; tool += 1)
      metrics.callEnded({ ...ended, server: "three", tool: `t${tool}` });
    const after = await scrape(metrics, sourcesOf(["two", "three"]));
    expect(valueOf(after, "onedoor_tool_calls_total", { server: "three", tool: "t7" })).toBe(1);
  });

  it("of a flood of tools are a page of bounded size", async () => {
    const metrics = start();
    const names = Array.from({ length: 20 }, (_, index) => `server-${index}`);
    for (const server of names) {
      for (let tool = 0; tool < 1_000; tool += 1)
        metrics.callEnded({ ...ended, server, tool: `tool-${tool}` });
    }
    const page = await metrics.text(sourcesOf(names));
    expect(readPage(page).length).toBeLessThan(40_000);
  });
});

describe("names in labels", () => {
  const hostile = [
    'a"} 1\nonedoor_build_info{x="y',
    "back\\slash\\",
    "\r\nevil 1",
    "\u001b[2J\u202e",
    "__proto__",
    "constructor",
    "",
    "{}",
    'le="+Inf"',
    "\ud800",
    "é漢\u{1f511}",
    "n".repeat(5_000),
    "a,status:success,tool:b",
  ];

  it.each(hostile)("cannot leave them: %j", async (name) => {
    const metrics = start();
    metrics.callEnded({
      ...ended,
      server: name,
      tool: name,
      status: "denied",
      errorCode: "forbidden",
    });
    const page = await metrics.text(sourcesOf([name]));
    const samples = readPage(page);
    expect(samples.filter(({ name: metric }) => metric === "onedoor_build_info")).toHaveLength(1);
    expect(samples.map(({ name: metric }) => metric)).not.toContain("evil");
    expect(page.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(page.length).toBeLessThan(20_000);
    const counted = samples.find(({ name: metric }) => metric === "onedoor_tool_calls_total");
    expect(counted?.value).toBe(1);
    expect(Object.keys(counted?.labels ?? {}).toSorted()).toEqual(["server", "status", "tool"]);
  });

  it("stand side by side", async () => {
    const metrics = start();
    for (const server of hostile)
      for (const tool of hostile) metrics.callEnded({ ...ended, server, tool });
    const samples = await scrape(metrics, sourcesOf(hostile));
    const total = samples
      .filter(({ name }) => name === "onedoor_tool_calls_total")
      .reduce((sum, { value }) => sum + value, 0);
    expect(total).toBe(hostile.length ** 2);
  });
});

describe("requests", () => {
  it("are timed by method, route and status of closed lists", async () => {
    const metrics = start();
    const request = { method: "GET", route: "/servers/:name", status: 200, durationMs: 20 };
    metrics.requestEnded(request);
    metrics.requestEnded({ ...request, method: "PROPFIND", route: undefined, status: 404 });
    metrics.requestEnded({ ...request, status: undefined });
    const counts = (await scrape(metrics))
      .filter(({ name }) => name === "http_server_request_duration_seconds_count")
      .map(({ labels }) => Object.values(labels).join(" "));
    expect(counts).toEqual(["GET /servers/:name 200", "_OTHER  404", "GET /servers/:name "]);
  });
});

describe("what is asked for at the scrape", () => {
  it("is there", async () => {
    const samples = await scrape(start(), {
      ...sourcesOf([]),
      upstreams: () => [
        { name: "one", state: "ready" },
        { name: "two", state: "unavailable" },
      ],
    });
    const state = (server: string): (number | undefined)[] =>
      ["starting", "ready", "unavailable"].map((each) =>
        valueOf(samples, "onedoor_upstream_state", { server, state: each }),
      );
    expect([state("one"), state("two")]).toEqual([
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(valueOf(samples, "onedoor_audit_queue_events")).toBe(3);
    expect(valueOf(samples, "onedoor_audit_dropped_events_total")).toBe(4);
    expect(valueOf(samples, "onedoor_mcp_sessions", { transport: "streamable_http" })).toBe(5);
    expect(valueOf(samples, "onedoor_mcp_sessions", { transport: "sse" })).toBe(6);
    expect(valueOf(samples, "onedoor_build_info", { version: "1.2.3", node: "v20.1.0" })).toBe(1);
    for (const name of [
      "process_resident_memory_bytes",
      "process_cpu_seconds_total",
      "process_start_time_seconds",
      "nodejs_heap_size_used_bytes",
      "nodejs_eventloop_time_seconds_total",
    ]) {
      expect(valueOf(samples, name)).toBeGreaterThan(0);
    }
  });

  it("is of that moment: counters of others are not added up, and states of removed servers go", async () => {
    const metrics = start();
    await scrape(metrics, sourcesOf(["one", "two"]));
    const samples = await scrape(metrics, sourcesOf(["one"]));
    expect(valueOf(samples, "onedoor_audit_dropped_events_total")).toBe(4);
    expect(valueOf(samples, "onedoor_upstream_state", { server: "two" })).toBeUndefined();
  });

  it("belongs to one gateway: another in the same process has its own", async () => {
    const [one, two] = [start(), start()];
    one.callEnded(ended);
    expect(valueOf(await scrape(two), "onedoor_tool_calls_total")).toBeUndefined();
    expect(two.contentType).toMatch(/^text\/plain; version=0\.0\.4/u);
  });
});
