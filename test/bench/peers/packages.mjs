/**
 * A package that is measured.
 * @typedef {object} Peer
 * @property {string} about
 * @property {string} package its name at npm
 * @property {string} version exact: figures of another version are other figures
 * @property {number} leastNode the major version of Node that it asks for
 */

/** The peers, by the name `--only` knows them by. @type {Readonly<Record<string, Peer>>} */
export const peers = {
  mcporter: {
    about: "a command line; its servers may be kept alive by a daemon",
    package: "mcporter",
    version: "0.12.3",
    leastNode: 24,
  },
  mcpc: {
    about: "a command line; a bridge process holds each connection",
    package: "@apify/mcpc",
    version: "0.2.6",
    leastNode: 20,
  },
  inspector: {
    about: "the official inspector: inspector --cli, and mcpdo with its daemon",
    package: "@modelcontextprotocol/inspector",
    version: "2.12.0",
    leastNode: 24,
  },
  "mcp-hub": {
    about: "a gateway; its MCP clients speak HTTP+SSE",
    package: "mcp-hub",
    version: "4.2.1",
    leastNode: 20,
  },
  "mcp-proxy": {
    about: "serves one stdio server over Streamable HTTP",
    package: "mcp-proxy",
    version: "6.7.19",
    leastNode: 20,
  },
};

/**
 * The Node for peers that ask for a newer one than runs this: what the package `node` fetches in an install
 * script, which are off.
 */
export const newerNode = {
  package: `node-${process.platform}-${process.arch}`,
  version: "24.21.0",
  file: "bin/node",
};
