import { expect, test } from "vitest";
import { callerClientName } from "../../src/mcp/caller-client-name.ts";

test.each([
  ["unknown", undefined, "unknown"],
  ["unknown", "claude-code", "claude-code"],
  ["unknown", "two\n lines", "two lines"],
  ["claude-code", "onedoor", "claude-code"],
  ["claude-code", undefined, "claude-code"],
])("told %j by the transport and %j by MCP it is %j", (clientName, told, name) => {
  expect(callerClientName({ clientName }, told)).toBe(name);
});
