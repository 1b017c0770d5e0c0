import { afterEach, beforeEach, expect, it } from "vitest";
import { command } from "../../../src/cli/commands/proxy.ts";
import { currentProject } from "../../../src/cli/project.ts";
import { runProxy } from "../../../src/cli/proxy/run-proxy.ts";
import { commandHelp } from "../../../src/cli/help.ts";
import { completionModel } from "../../../src/cli/completion/completion-model.ts";
import { parseCommandLine } from "../../../src/cli/parse.ts";
import { commandTable } from "../../../src/cli/table.ts";
import { startLegacyServer } from "../../client/support/legacy-server.ts";
import type { FakeServer } from "../../client/support/fake-server.ts";
import { Bench } from "../auth/bench.ts";

let bench: Bench;
let server: FakeServer;
beforeEach(async () => {
  bench = new Bench();
  server = await startLegacyServer();
});
afterEach(async () => {
  bench.remove();
  await server.close();
});

it.each([true, false])("says what it is where somebody types: %s", async (stdinIsTerminal) => {
  bench.pipe("");
  const { context } = bench;
  const io = Object.defineProperty(context.io, "stdinIsTerminal", { value: stdinIsTerminal });
  const options = { format: "text", json: false, quiet: false, debug: false } as const;
  await runProxy({ ...options, url: `${server.url}/mcp` }, { ...context, io }, bench.dependencies);
  const note =
    "This speaks MCP on stdin and stdout, for a client that starts it; Ctrl-D or Ctrl-C ends it";
  expect(bench.notes).toEqual(stdinIsTerminal ? [note] : []);
  expect(bench.stdout).toBe("");
});

const lines = [
  {
    method: "initialize",
    id: 1,
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "claude-ai", version: "1" },
    },
  },
  { method: "notifications/initialized" },
  { method: "tools/call", id: 2, params: { name: "work", arguments: {} } },
].map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

/** What the calls of a client say to the server, which is a gateway or another. */
async function toldBy(isGateway: boolean): Promise<unknown[]> {
  if (isGateway) bench.runGateway({ url: server.url });
  bench.pipe(lines.join(""));
  const options = { format: "text", json: false, quiet: false, debug: false } as const;
  const url = isGateway ? undefined : `${server.url}/mcp`;
  await runProxy({ ...options, url }, bench.context, bench.dependencies);
  const calls = server.requests.filter(({ body }) => body.includes("tools/call"));
  expect(calls).toHaveLength(1);
  return calls.map(({ headers }) =>
    ["client", "session", "project"].map((name) => headers[`x-onedoor-${name}`]),
  );
}

it("tells a gateway who the client behind it is, and what its calls belong to", async () => {
  const { project } = await currentProject(bench.context);
  expect(await toldBy(true)).toEqual([["claude-ai", expect.stringMatching(/.{8}/u), project]]);
});

it("tells a gateway what the environment says instead", async () => {
  bench.variables = { ONEDOOR_CLIENT_NAME: "ci", ONEDOOR_SESSION_ID: "s1" };
  expect(await toldBy(true)).toEqual([["ci", "s1", (await currentProject(bench.context)).project]]);
});

it("tells nothing of it to another server", async () => {
  bench.variables = { ONEDOOR_CLIENT_NAME: "ci", ONEDOOR_SESSION_ID: "s1" };
  expect(await toldBy(false)).toEqual([[undefined, undefined, undefined]]);
});

it("leaves the form of a result out of its help and its completion, and takes the word all the same", async () => {
  const entry = commandTable.find(({ path }) => path[0] === "proxy");
  if (entry === undefined) throw new Error("no proxy");
  const help = commandHelp(entry, command, 80);
  expect(help).not.toContain("--format");
  expect(help).toContain("agent auth login");
  expect(help).toContain("connected again");
  const model = await completionModel([entry], {});
  const options = model.at(-1)?.options.map(({ long }) => long);
  expect(options).toContain("json");
  expect(options).not.toContain("format");
  const parsed = await parseCommandLine(["proxy", "--format", "json"], commandTable, {});
  expect(parsed.kind).toBe("run");
});
