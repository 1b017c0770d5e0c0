import { AppError } from "./errors.ts";

/** What `inspect`, `run` and `wait` are pointed at: a server, or one of its tools. */
export interface Target {
  server: string;
  tool?: string | undefined;
}

/**
 * Splits `server/tool` at its first `/`: a server's name holds none, a tool's may. Without a `/`, or
 * with nothing after it, it is the server alone.
 * @throws AppError `usage` when nothing stands for the server
 */
export function splitTarget(text: string): Target {
  const at = text.indexOf("/");
  const server = at === -1 ? text : text.slice(0, at);
  if (server === "") {
    throw new AppError("usage", "The server's name is missing", {
      hint: "A tool is <server>/<tool>; agent inspect lists the servers",
    });
  }
  const tool = at === -1 ? "" : text.slice(at + 1);
  return tool === "" ? { server } : { server, tool };
}
