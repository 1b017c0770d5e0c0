import type { ServerSecrets } from "../../profiles/server-secrets.ts";
import { readRuntimeFile } from "../../runtime/runtime-file.ts";
import type { Context } from "../context.ts";

/** What the commands of `agent mcp` reach for outside themselves; tests hand in their own. */
export interface McpDependencies {
  readRuntimeFile: typeof readRuntimeFile;
  /** Loaded only where a secret is asked for or removed. */
  openSecrets(context: Context): Promise<ServerSecrets>;
  /** Where the command runs. */
  folder(): string;
}

export const mcpDependencies: McpDependencies = {
  readRuntimeFile,
  async openSecrets(context) {
    const { openServerSecretsOf } = await import("../open-server-secrets.ts");
    return openServerSecretsOf(context);
  },
  folder: () => process.cwd(),
};
