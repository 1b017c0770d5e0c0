import { mcpDependencies } from "../../mcp/mcp-dependencies.ts";
import { createSwitch } from "../../mcp/switch-servers.ts";

export const disable = createSwitch("off", mcpDependencies);
