import { Agent } from "undici";
import type { Dispatcher } from "undici";

/** Connections to auth servers. In a file of its own to be loaded late, which a bundle can do with files alone. */
export function createAgent(options: { connections: number; timeoutMs: number }): Dispatcher {
  const { connections, timeoutMs } = options;
  return new Agent({
    connections,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}
