import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startAgent } from "./agent.ts";
import type { AgentResult, RunningAgent } from "./agent.ts";
import type { Home } from "./home.ts";

const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

/** The real servers of the field, by the name of their package's last part. */
export function realServer(
  name: "everything" | "filesystem" | "memory",
  ...args: readonly string[]
): { command: string; args: string[] } {
  const file = join(modules, "@modelcontextprotocol", `server-${name}`, "dist", "index.js");
  return { command: process.execPath, args: [file, ...args] };
}

/** The fixture that misbehaves as it is told: test/fixtures/raw-server.mjs. */
export function rawServer(...modes: readonly string[]): { command: string; args: string[] } {
  const file = fileURLToPath(new URL("../../fixtures/raw-server.mjs", import.meta.url));
  return { command: process.execPath, args: [file, ...modes] };
}

export interface RunningGateway {
  readonly agent: RunningAgent;
  /** Without a path: `http://127.0.0.1:40123`. */
  readonly url: string;
  /** The runtime file's content. */
  readonly record: { pid: number; url: string; instanceId: string; secret: string };
  /** SIGTERM, and how it ended. */
  stop(): Promise<AgentResult>;
}

/** Starts `agent serve` in the foreground and resolves once it answers. */
export async function startGateway(
  home: Home,
  configuration: object | string = {},
  options: {
    args?: readonly string[];
    env?: Readonly<Record<string, string | undefined>>;
    stateDir?: string;
    /** A free one when absent. */
    port?: number;
  } = {},
): Promise<RunningGateway> {
  home.writeConfiguration(configuration);
  const agent = startAgent(
    ["serve", "--port", String(options.port ?? 0), ...(options.args ?? [])],
    {
      home,
      ...(options.env === undefined ? {} : { env: options.env }),
    },
  );
  await agent.waitFor("stderr", /Listening on/u);
  const file = join(options.stateDir ?? home.stateDir, "server.json");
  const record: RunningGateway["record"] = JSON.parse(readFileSync(file, "utf8"));
  return {
    agent,
    url: record.url,
    record,
    stop() {
      agent.process.kill("SIGTERM");
      return agent.ended;
    },
  };
}
