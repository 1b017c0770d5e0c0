import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runAgent } from "../../e2e/support/agent.ts";
import { realServer, startGateway } from "../../e2e/support/gateway.ts";
import { createHome } from "../../e2e/support/home.ts";
import type { Home } from "../../e2e/support/home.ts";
import { fastmcpServer, installed, node24, startHttpProgram } from "./foreign-programs.ts";

export interface ForeignGateway {
  readonly home: Home;
  /** Without a path. */
  readonly url: string;
  /** Lets its bearer in. */
  readonly token: string;
  /** A file the filesystem server offers. */
  readonly file: string;
  stop(): Promise<void>;
}

/** A gateway in front of other people's servers only, each as its users configure it. */
export async function startForeignGateway(): Promise<ForeignGateway> {
  const home = createHome();
  const files = join(home.folder, "files");
  mkdirSync(files);
  const file = join(files, "hello.txt");
  writeFileSync(file, "hello from a file\n");
  const everythingFile = installed(
    "../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js",
  );
  const asking = await startHttpProgram((port) => ({
    args: [everythingFile, "streamableHttp"],
    env: { PORT: String(port) },
  }));
  const fast = await startHttpProgram((port) => ({ args: [fastmcpServer, String(port)] }));
  const gateway = await startGateway(home, {
    mcpServers: {
      everything: realServer("everything"),
      files: realServer("filesystem", files),
      memory: {
        ...realServer("memory"),
        env: { MEMORY_FILE_PATH: join(home.folder, "memory.jsonl") },
      },
      thinking: {
        command: node24,
        args: [installed("@modelcontextprotocol/server-sequential-thinking/dist/index.js")],
        env: { DISABLE_THOUGHT_LOGGING: "true" },
      },
      fast: { command: node24, args: [fastmcpServer] },
      // Over HTTP, so that a client which can be asked has a connection of its own.
      asking: { url: asking.url },
      fasthttp: { url: fast.url },
    },
  });
  const agent = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runAgent(args, { home });
    if (code !== 0) throw new Error(`agent ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  };
  await agent("auth", "login", "--store", "file");
  await agent("wait");
  const token = (await agent("auth", "token")).trim();
  return {
    home,
    url: gateway.url,
    token,
    file,
    async stop() {
      await gateway.stop();
      await Promise.all([asking.stop(), fast.stop()]);
      home.remove();
    },
  };
}
