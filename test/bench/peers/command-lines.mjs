import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What a command line finds when it is called.
 * @typedef {object} World
 * @property {string} home
 * @property {string} url of server-everything, over Streamable HTTP
 * @property {string[]} stdio the command that starts server-everything over stdio
 */
/**
 * How a command line is driven, as its own documentation has it.
 * @typedef {object} CommandLine
 * @property {string} title
 * @property {string} package the key of its package: of `peers`, or `onedoor`
 * @property {string} bin
 * @property {string} route how its call gets to the server
 * @property {(home: string) => Record<string, string>} [env]
 * @property {(world: World) => string[][]} prepare writes its files; the commands that connect it, once, not measured
 * @property {((message: string) => string[]) | undefined} call calls the tool `echo`; undefined of a gateway
 * @property {string[][]} finish the commands that end what it left running
 */

/** @param {string} file @param {object} content */
function writeJson(file, content) {
  mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
}

/** @param {string} home */
const mcporterFile = (home) => join(home, ".config", "mcporter", "mcporter.json");
/** @param {string} home */
const inspectorEnv = (home) => ({
  MCP_INSPECTOR_DAEMON_DIR: join(home, "daemon"),
  MCP_INSPECTOR_SECRET_STORE: "memory",
});

const inspectorCall =
  "--cli --config mcp.json --server everything --method tools/call --tool-name echo --tool-arg".split(
    " ",
  );

/** @type {readonly CommandLine[]} */
export const commandLines = [
  {
    title: "OneDoor",
    package: "onedoor",
    bin: "agent",
    route: "through its gateway, signed in, to HTTP",
    prepare({ home, url }) {
      writeJson(join(home, ".config", "onedoor", "mcp.json"), {
        rateLimit: { rpm: 1_000_000 },
        mcpServers: { everything: { url } },
      });
      return [["serve", "--background", "--port", "0"], ["wait"], ["auth", "login"]];
    },
    call: (message) => ["run", "everything/echo", `message=${message}`],
    finish: [["serve", "--stop"]],
  },
  {
    title: "mcporter",
    package: "mcporter",
    bin: "mcporter",
    route: "connecting to HTTP each time",
    prepare({ home, url }) {
      writeJson(mcporterFile(home), { imports: [], mcpServers: { everything: { url } } });
      return [];
    },
    call: (message) => ["call", "everything.echo", `message=${message}`],
    finish: [],
  },
  {
    title: "mcporter, kept alive",
    package: "mcporter",
    bin: "mcporter",
    route: "through its daemon to stdio",
    prepare({ home, stdio: [command, ...args] }) {
      const everything = { command, args, lifecycle: "keep-alive" };
      writeJson(mcporterFile(home), { imports: [], mcpServers: { everything } });
      return [["daemon", "start"]];
    },
    call: (message) => ["call", "everything.echo", `message=${message}`],
    finish: [["daemon", "stop"]],
  },
  {
    title: "mcpc",
    package: "mcpc",
    bin: "mcpc",
    route: "through its bridge process to HTTP",
    prepare: ({ url }) => [["connect", url, "@everything"]],
    call: (message) => ["@everything", "tools-call", "echo", `message:=${message}`],
    finish: [["close", "@everything"]],
  },
  {
    title: "inspector --cli",
    package: "inspector",
    bin: "mcp-inspector",
    route: "connecting to HTTP each time",
    env: inspectorEnv,
    prepare({ home, url }) {
      writeJson(join(home, "mcp.json"), { mcpServers: { everything: { type: "http", url } } });
      return [];
    },
    call: (message) => [...inspectorCall, `message=${message}`],
    finish: [],
  },
  {
    title: "inspector, mcpdo",
    package: "inspector",
    bin: "mcpdo",
    route: "through its daemon to HTTP",
    env: inspectorEnv,
    prepare({ home, url }) {
      writeJson(join(home, "mcp.json"), { mcpServers: { everything: { type: "http", url } } });
      return [["connect", "everything", "--config", "mcp.json"]];
    },
    call: (message) => ["@everything", "tools/call", "echo", `message:=${message}`],
    finish: [["daemon", "stop"]],
  },
  {
    title: "mcp-hub",
    package: "mcp-hub",
    bin: "mcp-hub",
    route: "",
    prepare: () => [],
    call: undefined,
    finish: [],
  },
  {
    title: "mcp-proxy",
    package: "mcp-proxy",
    bin: "mcp-proxy",
    route: "",
    prepare: () => [],
    call: undefined,
    finish: [],
  },
];
