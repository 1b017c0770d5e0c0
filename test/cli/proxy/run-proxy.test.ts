import { afterEach, beforeEach, expect, it } from "vitest";
import { command } from "../../../src/cli/commands/proxy.ts";
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
