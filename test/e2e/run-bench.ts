import { expect } from "vitest";
import { execFile } from "node:child_process";
import { runAgent } from "./support/agent.ts";
import type { AgentOptions, AgentResult } from "./support/agent.ts";
import { mainFile } from "./support/agent.ts";
import { realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

/** A gateway with real servers, in a home that is signed in to it. */
export interface SignedInGateway {
  home: Home;
  gateway: RunningGateway;
  agent(args: readonly string[], options?: Omit<AgentOptions, "home">): Promise<AgentResult>;
  /** Runs a line of bash in which `agent` is the program, and tells how each part of the last pipe ended. */
  bash(line: string): Promise<{ codes: number[]; stdout: string; stderr: string }>;
  stop(): Promise<void>;
}

/** `everything` works, `down` ends at once, `slow` never answers. */
export async function startSignedInGateway(): Promise<SignedInGateway> {
  const home = createHome();
  const down = "console.error('no licence \\u001b[31mfound'); process.exit(3)";
  const gateway = await startGateway(home, {
    mcpServers: {
      everything: { ...realServer("everything"), tags: ["demo"] },
      down: { command: process.execPath, args: ["-e", down] },
      slow: { command: process.execPath, args: ["-e", "process.stdin.resume()"] },
    },
  });
  const agent: SignedInGateway["agent"] = (args, options) => runAgent(args, { home, ...options });
  expect(await agent(["auth", "login"])).toMatchObject({ code: 0 });
  expect(await agent(["wait", "everything"])).toMatchObject({ code: 0 });
  return {
    home,
    gateway,
    agent,
    bash: (line) =>
      new Promise((resolve) => {
        const define = `agent() { "${process.execPath}" "${mainFile}" "$@"; }`;
        const script = `${define}\n${line}\ncodes="\${PIPESTATUS[*]}"\necho "$codes" >&3`;
        const options = { env: { ...home.env }, cwd: home.folder };
        const child = execFile(
          "bash",
          ["-c", `exec 3>codes; ${script}`],
          options,
          (_error, stdout, stderr) => {
            execFile("cat", ["codes"], options, (_failed, codes) => {
              resolve({ codes: codes.trim().split(" ").map(Number), stdout, stderr });
            });
          },
        );
        child.stdin?.end();
      }),
    async stop() {
      await gateway.stop();
      home.remove();
    },
  };
}

/** The one JSON line of a failure with `--json`. */
export function errorLine(result: AgentResult): unknown {
  const lines = result.stderr.trim().split("\n");
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? "");
}
