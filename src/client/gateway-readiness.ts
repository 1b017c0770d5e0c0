import { isJsonObject } from "../core/json.ts";
import { askJson } from "./http-json.ts";
import { baseOf } from "./server-address.ts";

/** How many upstream servers a gateway has, in all and in each state. */
export interface UpstreamCounts {
  total: number;
  ready: number;
  starting: number;
  unavailable: number;
}

/** Numbers, and few of them. */
const maxAnswer = { maxBytes: 64 * 1024 };

/**
 * What a OneDoor gateway tells everybody at `GET /health/ready`: whether each upstream is ready or known to
 * be unavailable, and how many there are. Undefined when something else answers.
 * @throws AppError `unreachable`, `timeout`
 */
export async function askReadiness(
  endpoint: string,
  signal: AbortSignal,
): Promise<{ settled: boolean; upstreams: UpstreamCounts } | undefined> {
  const url = `${baseOf(endpoint)}/health/ready`;
  const { status, json } = await askJson({ url, signal }, maxAnswer);
  const counts = isJsonObject(json) ? json["upstreams"] : undefined;
  if ((status !== 200 && status !== 503) || !isJsonObject(counts)) return undefined;
  const { total, ready, starting, unavailable } = counts;
  if (typeof total !== "number" || typeof ready !== "number") return undefined;
  if (typeof starting !== "number" || typeof unavailable !== "number") return undefined;
  return { settled: status === 200, upstreams: { total, ready, starting, unavailable } };
}
