import type { CommandModule } from "../command.ts";
import { globalOptions, selectionOptions } from "../options.ts";
import type { GatewayQueryOptions } from "../proxy/gateway-query.ts";

export const command: CommandModule<GatewayQueryOptions> = {
  options: {
    // stdout is MCP, whatever form is asked for; what the environment says for other commands is no mistake here.
    format: { ...globalOptions.format, hidden: true },
    json: { type: "boolean", describe: "A failure as one JSON line on stderr, and no notes there" },
    timeout: {
      ...globalOptions.timeout,
      describe: "End a call that is silent for this long (default: what the server allows)",
    },
    ...selectionOptions,
    mode: {
      type: "string",
      choices: ["discover"],
      describe: "discover: three tools to find, show and call the others, in place of all of them",
    },
  },
  talksToServer: true,
  about: [
    "A client starts it and speaks MCP with it on stdin and stdout; it ends with the client, or by a signal. Sign in first (agent auth login): it uses what is saved and never asks.",
    "A server that goes and comes back is connected again, and this user's gateway is found anew at whatever port it has then.",
  ],
  examples: [
    ["agent proxy", "the running gateway, for a client that only starts programs"],
    ["agent proxy --preset dev --mode discover", "some of its servers, their tools step by step"],
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
