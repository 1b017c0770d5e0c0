import type { Logger } from "../../core/logger.ts";
import type { Io } from "../context.ts";

/**
 * The log of a proxy, on stderr and only with `--debug`: what its user needs to know is said in other words.
 * Without a log library, which would take longer to load than the rest.
 */
export function createProxyLogger(io: Io, debug: boolean): Logger {
  const say = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    const details = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`);
    io.note(`${message}${details.join("")}`);
  };
  const level = debug ? say : silent;
  return { debug: level, info: level, warn: level, error: say };
}

function silent(): void {
  // What nobody asked for.
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
