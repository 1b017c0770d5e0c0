import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runAgent } from "../../e2e/support/agent.ts";
import { realServer, startGateway } from "../../e2e/support/gateway.ts";
import { createHome } from "../../e2e/support/home.ts";
import type { Home } from "../../e2e/support/home.ts";
import { installed, node24 } from "./foreign-programs.ts";

export interface HundredTools {
  readonly home: Home;
  /** Without a path. */
  readonly url: string;
  readonly token: string;
  /** What the filesystem server offers. */
  readonly folder: string;
  /** By server. */
  readonly toolCounts: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

const reference = (name: string, env: Record<string, string> = {}) => ({
  command: node24,
  args: [installed(`@modelcontextprotocol/server-${name}/dist/index.js`)],
  env,
});

/**
 * A gateway before the reference servers that npm has and that list their tools without an account, and before
 * Playwright's, since those alone are fewer than a hundred tools. Nothing is called that needs a network.
 */
export async function startHundredTools(): Promise<HundredTools> {
  const home = createHome();
  const files = join(home.folder, "files");
  mkdirSync(files);
  writeFileSync(join(files, "hello.txt"), "hello from a file\n");
  const gateway = await startGateway(home, {
    mcpServers: {
      everything: realServer("everything"),
      files: realServer("filesystem", files),
      memory: {
        ...realServer("memory"),
        env: { MEMORY_FILE_PATH: join(home.folder, "memory.jsonl") },
      },
      thinking: reference("sequential-thinking", { DISABLE_THOUGHT_LOGGING: "true" }),
      github: reference("github", { GITHUB_PERSONAL_ACCESS_TOKEN: "none" }),
      gitlab: reference("gitlab", { GITLAB_PERSONAL_ACCESS_TOKEN: "none" }),
      slack: reference("slack", { SLACK_BOT_TOKEN: "none", SLACK_TEAM_ID: "none" }),
      maps: reference("google-maps", { GOOGLE_MAPS_API_KEY: "none" }),
      search: reference("brave-search", { BRAVE_API_KEY: "none" }),
      browser: { command: node24, args: [installed("@playwright/mcp/cli.js")] },
    },
  });
  const agent = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runAgent(args, { home });
    if (code !== 0) throw new Error(`agent ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  };
  await agent("auth", "login", "--store", "file");
  await agent("wait");
  const { servers }: { servers: { name: string; toolCount: number }[] } = JSON.parse(
    await agent("inspect", "--json"),
  );
  return {
    home,
    url: gateway.url,
    folder: files,
    token: (await agent("auth", "token")).trim(),
    toolCounts: Object.fromEntries(servers.map(({ name, toolCount }) => [name, toolCount])),
    async stop() {
      await gateway.stop();
      home.remove();
    },
  };
}
