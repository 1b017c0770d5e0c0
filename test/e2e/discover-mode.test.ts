import { afterAll, beforeAll, expect, test } from "vitest";
import { startSignedInGateway } from "./run-bench.ts";
import type { SignedInGateway } from "./run-bench.ts";
import { startProxy } from "./support/mcp-lines.ts";

let up: SignedInGateway;
beforeAll(async () => {
  up = await startSignedInGateway();
});
afterAll(() => up.stop());

test("a client that starts the proxy in this mode finds, sees and calls a tool by three tools", async () => {
  const client = startProxy(up.home, ["--mode", "discover", "--tags", "demo"]);
  const { result } = await client.begin();
  expect(result.instructions).toContain("`tool_list` finds tools");
  expect(result.instructions).toContain("- everything: ready");
  expect(result.instructions).not.toContain("- slow");
  const listed = await client.ask("tools/list");
  expect(listed.result.tools.map(({ name }: { name: string }) => name)).toEqual([
    "tool_list",
    "tool_schema",
    "tool_call",
  ]);
  const call = async (name: string, args: object): Promise<string> => {
    const answer = await client.ask("tools/call", { name, arguments: args });
    return answer.result.content[0].text;
  };
  expect(await call("tool_list", { query: "echo message" })).toContain("everything__echo");
  expect(JSON.parse(await call("tool_schema", { name: "everything__echo" }))).toMatchObject({
    inputSchema: { required: ["message"] },
  });
  expect(
    await call("tool_call", { name: "everything__echo", arguments: { message: "hi" } }),
  ).toContain("hi");
  const refused = await client.ask("tools/call", { name: "everything__echo", arguments: {} });
  expect(refused.error?.message).toContain("tool_call");
  client.agent.process.stdin?.end();
  await client.agent.ended;
  const { stdout } = await up.agent(["audit", "--json"]);
  expect(stdout).toContain('"everything__echo"');
  expect(stdout).not.toContain('"tool_call"');
});
