import type { CommandModule } from "../command.ts";

export const command: CommandModule = {
  options: {},
  talksToServer: true,
  examples: [
    ["agent proxy", "the running gateway, for a client that only starts programs"],
    ["agent proxy --url https://mcp.example.com/mcp", "any server, with its saved profile"],
    [
      '{"mcpServers": {"onedoor": {"command": "agent", "args": ["proxy"]}}}',
      "the configuration of Claude Desktop: no token stands in it",
    ],
  ],
  /** Speaks MCP on stdin and stdout until stdin is closed or a signal comes. */
  async run(options, context) {
    const { runProxy } = await import("../proxy/run-proxy.ts");
    await runProxy(options, context);
  },
};
