import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createAdd } from "../../../src/cli/commands/mcp/add.ts";
import { createList } from "../../../src/cli/commands/mcp/list.ts";
import { createRemove } from "../../../src/cli/commands/mcp/remove.ts";
import type { CommandModule } from "../../../src/cli/command.ts";
import { parseCommandLine } from "../../../src/cli/parse.ts";
import type { McpDependencies } from "../../../src/cli/mcp/mcp-dependencies.ts";
import { createSwitch } from "../../../src/cli/mcp/switch-servers.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { ServerSecrets } from "../../../src/profiles/server-secrets.ts";
import { Bench } from "../auth/bench.ts";

/** A terminal on which a person types. */
class Terminal extends PassThrough {
  readonly modes: boolean[] = [];
  setRawMode(mode: boolean): this {
    if (!this.destroyed) this.modes.push(mode);
    return this;
  }
}

const no = (): Promise<never> => Promise.reject(new Error("not of this test"));

/** `agent mcp …` as it is typed, over a real file and secrets in memory. */
export class McpBench extends Bench {
  readonly kept = new Map<string, string>();
  /** What keeping or removing a secret fails with. */
  storeFailure: AppError | undefined;
  /** What putting an earlier secret back fails with. */
  restoreFailure: AppError | undefined;
  /** Called before a secret is kept. */
  onSet: () => void = () => undefined;
  readonly file = join(this.folder, "config", "mcp.json");

  readonly #secrets: ServerSecrets = {
    get: (name) => Promise.resolve(this.kept.get(name)),
    set: (name, value) => {
      this.onSet();
      if (this.storeFailure !== undefined) return Promise.reject(this.storeFailure);
      const before = this.kept.get(name);
      this.kept.set(name, value);
      return Promise.resolve({
        restore: () => {
          if (this.restoreFailure !== undefined) return Promise.reject(this.restoreFailure);
          if (before === undefined) this.kept.delete(name);
          else this.kept.set(name, before);
          return Promise.resolve();
        },
        store: {
          kind: "keychain",
          description: "the keychain",
          get: no,
          set: no,
          delete: no,
          ids: no,
        },
      });
    },
    remove: (name) =>
      this.storeFailure === undefined
        ? Promise.resolve(this.kept.delete(name))
        : Promise.reject(this.storeFailure),
    names: () => Promise.resolve([...this.kept.keys()].toSorted()),
  };

  readonly mcp: McpDependencies = {
    readRuntimeFile: () => Promise.resolve(this.runtime),
    openSecrets: () => Promise.resolve(this.#secrets),
    folder: () => "/home/me/project",
  };

  /** A file that is there, as the loader wants it. */
  put(text: string, mode = 0o600): void {
    mkdirSync(join(this.folder, "config"), { recursive: true, mode: 0o700 });
    writeFileSync(this.file, text, { mode });
    chmodSync(this.file, mode);
  }

  /** What stands there; undefined: there is none. */
  get text(): string | undefined {
    return existsSync(this.file) ? readFileSync(this.file, "utf8") : undefined;
  }

  get servers(): Record<string, unknown> {
    const value: { mcpServers?: Record<string, unknown> } = JSON.parse(this.text ?? "{}");
    return value.mcpServers ?? {};
  }

  /** A person at a terminal, who types these lines. */
  onTerminal(...lines: readonly string[]): void {
    const terminal = new Terminal();
    for (const line of lines) terminal.write(`${line}\r`);
    this.stdin = terminal;
    this.stdinIsTerminal = true;
    this.terminal = true;
  }

  /** Runs `agent mcp` with these words, through the real parser. */
  async agent(...words: readonly string[]): Promise<number | void> {
    const modules: Record<string, CommandModule<never>> = {
      list: createList(this.mcp),
      add: createAdd(this.mcp),
      remove: createRemove(this.mcp),
      enable: createSwitch("on", this.mcp),
      disable: createSwitch("off", this.mcp),
    };
    const table = Object.entries(modules).map(([name, module]) => ({
      path: ["mcp", name],
      summary: "",
      load: () => Promise.resolve(module),
    }));
    const invocation = await parseCommandLine(["mcp", ...words], table, this.variables);
    if (invocation.kind !== "run") throw new Error("It is no command");
    return this.run(invocation.module, invocation.options);
  }

  /** The result with `--json`. */
  async json(...words: readonly string[]): Promise<unknown> {
    this.stdout = "";
    const [command = "", ...rest] = words;
    await this.agent(command, "--json", ...rest);
    return JSON.parse(this.stdout);
  }

  /** How it fails. */
  async failure(...words: readonly string[]): Promise<Pick<AppError, "code" | "message" | "hint">> {
    const error: unknown = await this.agent(...words).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof AppError))
      throw new Error("It did not fail as it should", { cause: error });
    const { code, message, hint } = error;
    return { code, message: message.replaceAll(this.file, "FILE"), hint };
  }
}
