import { expect, test } from "vitest";
import type { ServerRow } from "../../../src/client/tool-server.ts";
import {
  serverListFlat,
  serverListJson,
  serverTable,
} from "../../../src/cli/render/server-list.ts";
import { toonText } from "../../../src/cli/render/toon-text.ts";

const none = { prompts: 0, resources: 0, resourceTemplates: 0 };
const ready: ServerRow = { name: "shop", state: "ready", toolCount: 2, counts: none, tags: [] };
const reason = "the command /nowhere/at-all was not found";
const down: ServerRow = { ...ready, name: "gone", state: "unavailable", reason, toolCount: 0 };
const terminal = { foreign: (text: string) => text, stdoutIsTerminal: true, columns: 80 };

test("what no server has gets no column, so that the reason has the place", () => {
  expect(serverTable([down], terminal)).toBe(
    `NAME  STATE        REASON\ngone  unavailable  ${reason}\n`,
  );
  expect(serverTable([ready, down], terminal)).toBe(
    [
      "NAME  STATE        TOOLS  REASON",
      "shop  ready        2",
      `gone  unavailable  -      ${reason}`,
      "",
    ].join("\n"),
  );
});

test("as TOON it is a table, shorter than as text, with all that some server has", () => {
  const servers = Array.from({ length: 7 }, (_none, at) => ({ ...ready, name: `server-${at}` }));
  const page = { entries: servers, left: 0 };
  const toon = toonText(serverListFlat({ servers, collisions: [] }, page), {
    note: () => undefined,
  });
  expect(toon).toMatch(/^servers\[7\]\{name,state,toolCount\}:\n {2}server-0,ready,2\n/u);
  expect(toon.length).toBeLessThan(serverTable(servers, terminal).length + 20);
  const rows = [{ ...ready, tags: ["a", "b"], withheld: 1, counts: { ...none, prompts: 3 } }, down];
  const all = { servers: rows, collisions: ["x is offered twice"] };
  expect(serverListFlat(all, { entries: rows, left: 1, nextCursor: "gone" })).toEqual({
    servers: [
      {
        name: "shop",
        state: "ready",
        toolCount: 2,
        prompts: 3,
        withheld: 1,
        tags: "a,b",
        reason: "",
      },
      {
        name: "gone",
        state: "unavailable",
        toolCount: 0,
        prompts: 0,
        withheld: 0,
        tags: "",
        reason,
      },
    ],
    collisions: ["x is offered twice"],
    nextCursor: "gone",
  });
});

test("JSON says what is withheld only where something is", () => {
  const page = { entries: [{ ...ready, withheld: 3 }, down], left: 0 };
  expect(serverListJson({ servers: [], collisions: [] }, page)).toMatchObject({
    servers: [{ name: "shop", withheld: 3 }, expect.not.objectContaining({ withheld: 3 })],
  });
});
