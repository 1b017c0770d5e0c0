import { expect, test } from "vitest";
import { serverPageJson, serverPageText } from "../../../src/cli/render/server-page.ts";
import type { ServerPage } from "../../../src/client/tool-server.ts";

const server: ServerPage = {
  name: "one",
  state: "ready",
  toolCount: 2,
  tags: [],
  tools: [],
  stderrTail: [],
};
const page = { entries: [], left: 0 };
const shown = (more: Partial<ServerPage>): string =>
  serverPageText({ ...server, ...more }, page, undefined, { foreign: (text) => text });

test("tools are counted as people count", () => {
  expect([0, 1, 2].map((toolCount) => shown({ toolCount }))).toEqual([
    "one: ready, 0 tools\n",
    "one: ready, 1 tool\n",
    "one: ready, 2 tools\n",
  ]);
});

test("instructions are cut with a note, from whomever they come", () => {
  const instructions = "z".repeat(5_000_000);
  expect(serverPageJson({ ...server, instructions }, page, undefined)).toMatchObject({
    instructions: `${"z".repeat(4_000)}\n… (cut)`,
  });
  const text = shown({ instructions });
  expect(text).toContain("| … (cut)\n");
  expect(text.length).toBeLessThan(5_000);
});
