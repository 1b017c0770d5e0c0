import { Counter } from "prom-client";
import type { Registry } from "prom-client";
import type { CallMetrics } from "../core/call-metrics.ts";
import { createBoundHistogram } from "./bound-histogram.ts";
import type { HistogramSeries } from "./bound-histogram.ts";
import { labelText, otherLabel } from "./label-text.ts";

export interface ToolCallMetrics extends CallMetrics {
  /** Forgets what was counted for servers that are not among these. */
  keepOnly(servers: ReadonlySet<string>): void;
}

/** How many names are told apart. What comes beyond goes under `_OTHER`, server by server. */
export interface LabelLimits {
  tools: number;
  /** One server that lists ever new names does not use up what all need. */
  toolsOfServer: number;
  /** Sets of labels of the duration: each is seventeen lines of the page. */
  durations: number;
}

export const defaultLabelLimits: LabelLimits = {
  tools: 2_000,
  toolsOfServer: 250,
  durations: 2_000,
};

/** As OpenTelemetry advises for MCP's durations; seconds. */
const durationBuckets = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** What calls of one tool are counted in. Bound once, so that a call does not look for it. */
interface Tool {
  label: string;
  /** By status. */
  calls: Map<string, CallCount>;
  /** By error type; empty for none. */
  durations: Map<string, HistogramSeries>;
}

/** Calls since the page was asked for last: prom-client takes a while to find a series by its labels. */
interface CallCount {
  labels: { server: string; tool: string; status: string };
  more: number;
}

interface Server {
  label: string;
  tools: Map<string, Tool>;
  /** By reason. */
  denials: Map<string, () => void>;
  /** What takes the calls of tools beyond the limits. */
  other: Tool;
  /** Ends every series of this server. */
  removals: (() => void)[];
}

/**
 * Counts tool calls by server and tool. The duration goes under the name and attributes of OpenTelemetry's
 * conventions for MCP (`mcp.server.operation.duration`); a call that came over REST is in it as well.
 */
export function createToolCallMetrics(
  registry: Registry,
  limits: LabelLimits = defaultLabelLimits,
): ToolCallMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: "onedoor_tool_calls_total",
    help: "Tool calls by server, tool and status (success, error, denied).",
    labelNames: ["server", "tool", "status"] as const,
    registers,
    collect() {
      for (const { tools, other } of servers.values()) {
        for (const tool of [...tools.values(), other]) {
          for (const count of tool.calls.values()) {
            if (count.more > 0) this.inc(count.labels, count.more);
            count.more = 0;
          }
        }
      }
    },
  });
  const denials = new Counter({
    name: "onedoor_tool_call_denials_total",
    help: "Tool calls that were refused before they ran, by server and reason.",
    labelNames: ["server", "reason"] as const,
    registers,
  });
  const durations = createBoundHistogram(registry, {
    name: "mcp_server_operation_duration_seconds",
    help: "Duration of tool calls, from when the gateway took them in hand until their answer.",
    buckets: durationBuckets,
  });

  const servers = new Map<string, Server>();
  let toolCount = 0;
  let durationCount = 0;

  const serverOf = (name: string): Server => {
    const known = servers.get(name);
    if (known !== undefined) return known;
    const server: Server = {
      label: labelText(name),
      tools: new Map(),
      denials: new Map(),
      other: newTool(otherLabel),
      removals: [],
    };
    servers.set(name, server);
    return server;
  };

  const toolOf = (server: Server, name: string): Tool => {
    const known = server.tools.get(name);
    if (known !== undefined) return known;
    if (server.tools.size >= limits.toolsOfServer || toolCount >= limits.tools) return server.other;
    const tool = newTool(labelText(name));
    server.tools.set(name, tool);
    toolCount += 1;
    return tool;
  };

  const callsOf = (server: Server, tool: Tool, status: string): CallCount => {
    const known = tool.calls.get(status);
    if (known !== undefined) return known;
    const count = { labels: { server: server.label, tool: tool.label, status }, more: 0 };
    tool.calls.set(status, count);
    server.removals.push(() => calls.remove(count.labels));
    return count;
  };

  const durationOf = (server: Server, tool: Tool, errorType: string): HistogramSeries => {
    const known = tool.durations.get(errorType);
    if (known !== undefined) return known;
    if (tool !== server.other) {
      if (durationCount >= limits.durations) return durationOf(server, server.other, errorType);
      durationCount += 1;
    }
    const series = durations.series({
      mcp_method_name: "tools/call",
      server: server.label,
      gen_ai_tool_name: tool.label,
      error_type: errorType,
    });
    tool.durations.set(errorType, series);
    server.removals.push(() => durations.remove(series));
    return series;
  };

  const denialsOf = (server: Server, reason: string): (() => void) => {
    const known = server.denials.get(reason);
    if (known !== undefined) return known;
    const labels = { server: server.label, reason };
    const series = denials.labels(labels);
    const count = (): void => series.inc();
    server.denials.set(reason, count);
    server.removals.push(() => denials.remove(labels));
    return count;
  };

  return {
    callEnded({ server: serverName = "", tool: toolName = "", status, errorCode, durationMs }) {
      const server = serverOf(serverName);
      const tool = toolOf(server, toolName);
      callsOf(server, tool, status).more += 1;
      if (status === "denied") denialsOf(server, errorCode ?? otherLabel)();
      // A result with `isError` is this one in the conventions.
      const errorType = errorCode ?? (status === "error" ? "tool_error" : "");
      // A clock that was put back, or no clock at all, must not fail a call.
      const seconds = durationMs > 0 && Number.isFinite(durationMs) ? durationMs / 1000 : 0;
      durationOf(server, tool, errorType).observe(seconds);
    },
    keepOnly(kept) {
      for (const [name, server] of servers) {
        if (name === "" || kept.has(name)) continue;
        for (const remove of server.removals) remove();
        servers.delete(name);
        toolCount -= server.tools.size;
        for (const { durations: own } of server.tools.values()) durationCount -= own.size;
      }
    },
  };
}

function newTool(label: string): Tool {
  return { label, calls: new Map(), durations: new Map() };
}
