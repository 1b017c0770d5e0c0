import { pino } from "pino";
import type { Logger } from "../../core/logger.ts";

export interface LogOptions {
  /** Takes one line, without its end. */
  write: (line: string) => void;
  /** Lines for people, else one JSON object a line. */
  readable: boolean;
  level: "debug" | "info" | "warn";
}

/** Fields nobody should log, masked should somebody do it after all. */
const secretFields = ["token", "secret", "authorization", "password", "bearer", "proof"];

const levelNames: Readonly<Record<number, string>> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
};

/** The gateway's log. */
export function createLogger({ write, readable, level }: LogOptions): Logger {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: "****" },
    },
    {
      write(line: string) {
        write(readable ? lineForPeople(line) : line.trimEnd());
      },
    },
  );
  return {
    debug: (message, fields) => {
      log.debug(fields ?? {}, message);
    },
    info: (message, fields) => {
      log.info(fields ?? {}, message);
    },
    warn: (message, fields) => {
      log.warn(fields ?? {}, message);
    },
    error: (message, fields) => {
      log.error(fields ?? {}, message);
    },
  };
}

/** `12:00:00 warn  message key=value` */
function lineForPeople(line: string): string {
  const entry: Record<string, unknown> = JSON.parse(line);
  const { level, time, msg, ...fields } = entry;
  const clock = String(time).slice(11, 19);
  const name = (levelNames[Number(level)] ?? String(level)).padEnd(5);
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${asText(value)}`);
  return `${clock} ${name} ${String(msg)}${rest.join("")}`;
}

function asText(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/u.test(value) ? value : JSON.stringify(value);
}
