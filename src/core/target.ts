/** What `inspect`, `run` and `wait` are pointed at: a server, or one of its tools. */
export interface Target {
  server: string;
  tool?: string | undefined;
}

/**
 * Splits `server/tool` at its first `/`: a server's name holds none, a tool's may. Without a `/`, or
 * with nothing after it, it is the server alone.
 */
export function splitTarget(text: string): Target {
  const at = text.indexOf("/");
  if (at === -1) return { server: text };
  const tool = text.slice(at + 1);
  return tool === "" ? { server: text.slice(0, at) } : { server: text.slice(0, at), tool };
}
