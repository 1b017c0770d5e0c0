import { join } from "node:path";

/** Where the configuration is looked for when the user names no file. */
export function defaultConfigurationFile(configDir: string): string {
  return join(configDir, "mcp.json");
}
