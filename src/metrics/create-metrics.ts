import { Counter, Gauge, Registry } from "prom-client";
import type { AuditSink } from "../core/audit.ts";
import type { CallMetrics } from "../core/call-metrics.ts";
import { createHttpMetrics } from "./http-metrics.ts";
import type { EndedHttpRequest } from "./http-metrics.ts";
import { labelText } from "./label-text.ts";
import { addProcessMetrics } from "./process-metrics.ts";
import { createToolCallMetrics, defaultLabelLimits } from "./tool-call-metrics.ts";
import type { LabelLimits } from "./tool-call-metrics.ts";

export const upstreamStates = ["starting", "ready", "unavailable"] as const;

/** What is asked for when the page is, and not kept here. */
export interface MetricSources {
  /** Every server of the configuration that is on. */
  upstreams(): readonly { name: string; state: (typeof upstreamStates)[number] }[];
  audit: Pick<AuditSink, "queued" | "dropped">;
  /** Open MCP sessions; the modern era has none. */
  sessions(): readonly { transport: "streamable_http" | "sse"; count: number }[];
}

/**
 * What the gateway tells Prometheus. Counting costs a call some microseconds and never fails it; labels have
 * few values: configured servers, tools that servers list (up to a limit), routes, closed lists. No user is in it.
 */
export interface Metrics extends CallMetrics {
  requestEnded(request: EndedHttpRequest): void;
  /** The page, in Prometheus' text format 0.0.4. */
  text(sources: MetricSources): Promise<string>;
  readonly contentType: string;
}

export interface MetricsOptions {
  /** Of this program. */
  version: string;
  /** Of Node. */
  nodeVersion: string;
  labelLimits?: LabelLimits | undefined;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const calls = createToolCallMetrics(registry, options.labelLimits ?? defaultLabelLimits);
  const requestEnded = createHttpMetrics(registry);
  const upstreamState = new Gauge({
    name: "onedoor_upstream_state",
    help: "1 for the state an upstream server is in (starting, ready, unavailable), 0 for the others.",
    labelNames: ["server", "state"] as const,
    registers,
  });
  const auditQueue = new Gauge({
    name: "onedoor_audit_queue_events",
    help: "Audit events that wait to be written.",
    registers,
  });
  const auditDropped = new Counter({
    name: "onedoor_audit_dropped_events_total",
    help: "Audit events that were lost: the queue was full, or the storage failed again and again.",
    registers,
  });
  const sessions = new Gauge({
    name: "onedoor_mcp_sessions",
    help: "Open MCP sessions of the legacy era, by transport.",
    labelNames: ["transport"] as const,
    registers,
  });
  new Gauge({
    name: "onedoor_build_info",
    help: "1; the labels say which version of the gateway runs on which version of Node.",
    labelNames: ["version", "node"] as const,
    registers,
  }).set({ version: options.version, node: options.nodeVersion }, 1);
  addProcessMetrics(registry);

  const look = (sources: MetricSources): void => {
    const { audit } = sources;
    const servers = sources.upstreams();
    calls.keepOnly(new Set(servers.map(({ name }) => name)));
    upstreamState.reset();
    for (const { name, state } of servers) {
      for (const each of upstreamStates) {
        upstreamState.set({ server: labelText(name), state: each }, each === state ? 1 : 0);
      }
    }
    auditQueue.set(audit.queued);
    auditDropped.reset();
    auditDropped.inc(audit.dropped);
    for (const { transport, count } of sources.sessions()) sessions.set({ transport }, count);
  };

  return {
    callEnded: (call) => calls.callEnded(call),
    requestEnded,
    text(sources) {
      look(sources);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}
