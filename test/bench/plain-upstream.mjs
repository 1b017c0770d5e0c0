import { fileURLToPath } from "node:url";
import { startNode } from "./child-process.mjs";

const program = fileURLToPath(new URL("programs/plain-upstream.mjs", import.meta.url));

/** A tool of any server of the plain upstream. */
export const plainTool = {
  name: "look_up_0000",
  argument: "text",
  /** @param {string} text */
  answer: (text) => text,
};

/** Starts a process of ours that is as many MCP servers as are asked for, where a real one would only cost time. */
export async function startPlainUpstream() {
  const child = startNode([program]);
  const port = Number(await child.said(/port (\d+)/u));
  return {
    /**
     * @param {number} servers
     * @param {number} tools of each
     * @returns {Record<string, {url: string}>} `mcpServers` of a configuration
     */
    mcpServers: (servers, tools) =>
      Object.fromEntries(
        Array.from({ length: servers }, (_none, index) => [
          `plain${index}`,
          { url: `http://127.0.0.1:${port}/${index}/${tools}` },
        ]),
      ),
    stop: () => child.stop(),
  };
}
