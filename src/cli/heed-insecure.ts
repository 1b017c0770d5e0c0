import { leaveUnchecked } from "../client/network.ts";
import { AppError } from "../core/errors.ts";
import type { RuntimeRecord } from "../runtime/runtime-record.ts";
import type { ServerOptions } from "./command.ts";
import type { Context } from "./context.ts";

/**
 * `--insecure`: whatever certificate the chosen server shows is taken, and its alone: neither an authorization server
 * nor a proxy is meant. One's own gateway is known by its certificate and needs none of this.
 */
export function heedInsecure(
  { endpoint, runtime }: { endpoint: string; runtime?: RuntimeRecord | undefined },
  options: ServerOptions & { json?: boolean | undefined },
  { io }: Pick<Context, "io">,
): void {
  const { protocol, host } = new URL(endpoint);
  if (options.insecure !== true || protocol !== "https:" || runtime !== undefined) return;
  // A program that reads --json reads one line for a failure and no other.
  if (!leaveUnchecked(endpoint) || options.json === true) return;
  const risk = "whoever stands in between reads the token and answers in its place";
  io.note(`Warning: the certificate of ${host} is not checked (--insecure): ${risk}`, {
    always: true,
  });
}

/** For a command about every profile. @throws AppError `usage` when certificates should not be checked there */
export function refuseInsecure(options: ServerOptions): void {
  if (options.insecure !== true) return;
  throw new AppError("usage", "--insecure is for one server: name it with --url <url>");
}
