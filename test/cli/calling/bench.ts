import { PassThrough } from "node:stream";
import type { Readable } from "node:stream";
import type { FoundProject } from "../../../src/config/find-project.ts";
import type { ServerSource } from "../../../src/cli/calling/open-server.ts";
import type { CommandModule, GlobalOptions, ServerOptions } from "../../../src/cli/command.ts";
import type { Context } from "../../../src/cli/context.ts";
import { KnownSecrets } from "../../../src/cli/known-secrets.ts";
import type { ConnectOptions } from "../../../src/client/connect-tool-server.ts";
import { createDeadline } from "../../../src/client/deadline.ts";
import type { Inventory, ToolCall, ToolServer } from "../../../src/client/tool-server.ts";
import { readEnvironment } from "../../../src/config/environment.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Tool } from "../../../src/core/mcp.ts";
import { splitTarget } from "../../../src/core/target.ts";
import { escapeForTerminal } from "../../../src/core/terminal-text.ts";
import { parseServerUrl } from "../../../src/core/url.ts";

export const echoTool: Tool = {
  name: "echo",
  description: "Echoes \u001b[31mback",
  inputSchema: {
    type: "object",
    properties: { message: { type: "string" } },
    required: ["message"],
  },
  "x-vendor": 1,
};

/** Everything a command that calls servers touches, in memory. */
export class Bench {
  stdout = "";
  readonly notes: string[] = [];
  readonly spun: string[] = [];
  readonly connected: ConnectOptions[] = [];
  readonly calls: { server: string; tool: string; call: ToolCall }[] = [];
  closed = 0;
  terminal = false;
  /** Undefined stands for `/dev/null`. */
  stdin: Readable | undefined;
  variables: Record<string, string> = {};
  timeoutMs = 30_000;
  /** What the working directory belongs to. */
  project: FoundProject = {};
  /** What was signed in to. */
  readonly signedIn: (string | undefined)[] = [];
  readonly interruption = new AbortController();
  /** Answers a call. */
  answer: (call: ToolCall) => Promise<JsonObject> = () =>
    Promise.resolve({ content: [{ type: "text", text: "done" }] });
  inventories: Inventory[] = [
    {
      servers: [
        { name: "everything", state: "ready", toolCount: 1, tags: ["demo"] },
        { name: "down", state: "unavailable", reason: "exited\nwith 1", toolCount: 0, tags: [] },
      ],
      collisions: [],
    },
  ];
  tools: Tool[] = [echoTool];
  readonly server: ToolServer = {
    kind: "onedoor",
    only: undefined,
    resolve: (target) => Promise.resolve(splitTarget(target)),
    inventory: () => {
      const next = this.inventories.length > 1 ? this.inventories.shift() : this.inventories[0];
      if (next === undefined) throw new Error("no inventory");
      return Promise.resolve(next);
    },
    server: (name) => {
      const row = this.inventories[0]?.servers.find((entry) => entry.name === name);
      if (row === undefined) throw new AppError("not_found", `Unknown server ${name}`);
      const tools = row.state === "ready" ? this.tools : [];
      return Promise.resolve({
        ...row,
        tools,
        stderrTail: ["last \u001b[2Jwords"],
        instructions: "Be kind",
      });
    },
    tool: (_server, name) => {
      const tool = this.tools.find((entry) => entry.name === name);
      if (tool === undefined) throw new AppError("not_found", `Unknown tool ${name}`);
      return Promise.resolve(tool);
    },
    call: (server, tool, call) => {
      this.calls.push({ server, tool, call });
      return this.answer(call);
    },
    instructions: () => Promise.resolve("=== PLAYBOOK ===\n\u001b[31m"),
    close: () => {
      this.closed += 1;
      return Promise.resolve();
    },
  };

  readonly source: ServerSource = {
    chooseServer: (options) => {
      const url = parseServerUrl(options.url ?? "http://127.0.0.1:3050");
      return Promise.resolve({
        endpoint: url.endpoint,
        canonical: url.canonical,
        given: url.endpoint,
        loopback: url.loopback,
        how: "option" as const,
        server: "onedoor" as const,
      });
    },
    bearerFor: () => Promise.resolve({ token: "od_token", source: "profile" }),
    connect: (options) => {
      this.connected.push(options);
      return Promise.resolve(this.server);
    },
    readiness: () => Promise.resolve(undefined),
    project: () => Promise.resolve(this.project),
    renewRefused: () => Promise.resolve(undefined),
    stepUp: () => Promise.resolve(undefined),
    signIn: async (options, context) => {
      this.signedIn.push(options.url);
      await context.io.out("Signed in\n");
    },
  };

  get context(): Context {
    const stdin: Readable & { fd?: number } =
      this.stdin ?? Object.assign(new PassThrough(), { fd: -1 });
    return {
      io: {
        stdin,
        stdinIsTerminal: this.terminal,
        stdoutIsTerminal: this.terminal,
        stderrIsTerminal: this.terminal,
        spinners: this.terminal,
        columns: 80,
        out: (text) => {
          this.stdout += typeof text === "string" ? text : Buffer.from(text).toString("latin1");
          return Promise.resolve();
        },
        note: (line, { always = false } = {}) => {
          if (always || !this.notes.includes(line)) this.notes.push(line);
        },
        spin: (text) => {
          this.spun.push(text);
          return { update: (next) => this.spun.push(next), stop: () => undefined };
        },
        foreign: (text) => (this.terminal ? escapeForTerminal(text, { lines: true }) : text),
      },
      environment: readEnvironment(this.variables),
      directories: { config: "/nowhere", state: "/nowhere" },
      now: () => 0,
      secrets: new KnownSecrets(),
      signal: this.interruption.signal,
      interrupt: () => this.interruption.abort(new Error("interrupted")),
      onForcedEnd: () => undefined,
      deadline: createDeadline(this.timeoutMs, this.interruption.signal),
      renewals: new Map(),
    };
  }

  /** Runs a command with options as the parser would make them. */
  run<Options extends object>(
    command: CommandModule<Options>,
    options: Options & Partial<GlobalOptions> & ServerOptions,
  ): Promise<number | void> {
    const defaults: GlobalOptions = { format: "text", json: false, quiet: false, debug: false };
    const all = { ...defaults, ...options };
    this.timeoutMs = options.timeoutMs ?? command.defaultTimeoutMs?.(all) ?? 30_000;
    return command.run(all, this.context);
  }
}

/** A pipe with this in it, closed. */
export function pipeOf(...chunks: readonly (string | Buffer)[]): Readable {
  const pipe = new PassThrough();
  for (const chunk of chunks) pipe.write(chunk);
  pipe.end();
  return pipe;
}
