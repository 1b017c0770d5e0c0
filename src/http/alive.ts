import type { IncomingMessage } from "node:http";

/** Where it is told that the process runs; whether it can be used yet is `/health/ready`. */
export const alivePaths: readonly string[] = ["/health", "/health/live"];

/** What is answered there. */
export const alive = { status: "ok" };

/** Whether a request asks for nothing but that; one written in another way is the router's to understand. */
export function asksIfAlive({ method, url = "" }: IncomingMessage): boolean {
  const [path = ""] = url.split("?", 1);
  return method === "GET" && alivePaths.includes(path);
}
