import type { Registry } from "prom-client";
import { createBoundHistogram } from "./bound-histogram.ts";
import type { HistogramSeries } from "./bound-histogram.ts";
import { otherLabel } from "./label-text.ts";

/** One request that was answered, or given up by its client. */
export interface EndedHttpRequest {
  method: string;
  /** The route's pattern, never the path that was asked for; undefined where there is none. */
  route: string | undefined;
  /** Undefined when no answer was begun. */
  status: number | undefined;
  durationMs: number;
}

/** As OpenTelemetry's conventions for HTTP advise; seconds. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** What Node's parser lets through is far more; a label has those that routes or clients have a use for. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/** `http.server.request.duration` of OpenTelemetry's conventions: all requests, streams to their end. */
export function createHttpMetrics(registry: Registry): (request: EndedHttpRequest) => void {
  const durations = createBoundHistogram(registry, {
    name: "http_server_request_duration_seconds",
    help: "Duration of HTTP requests by method, route and status; of event streams until their end.",
    buckets,
  });
  const known = new Map<string, HistogramSeries>();
  return ({ method: given, route = "", status = "", durationMs }) => {
    const method = methods.has(given) ? given : otherLabel;
    const key = `${method} ${status} ${route}`;
    let series = known.get(key);
    if (series === undefined) {
      series = durations.series({
        http_request_method: method,
        http_route: route,
        http_response_status_code: status,
      });
      known.set(key, series);
    }
    series.observe(Math.max(0, durationMs) / 1000);
  };
}
