import { expect, test } from "vitest";
import { createInspect } from "../../src/cli/commands/inspect.ts";
import { Bench, echoTool } from "./calling/bench.ts";

test("lists the servers, the reason of one that is down on one line", async () => {
  const bench = new Bench();
  await bench.run(createInspect(bench.source), { all: false });
  expect(bench.stdout).toBe(
    [
      "NAME        STATE        TOOLS  TAGS  REASON",
      "everything  ready        1      demo",
      "down        unavailable  -      -     exited with 1",
      "",
    ].join("\n"),
  );
  expect(bench.closed).toBe(1);
  expect(bench.connected[0]).toMatchObject({
    endpoint: "http://127.0.0.1:3050/",
    kind: "onedoor",
    bearer: "od_token",
    clientName: "onedoor-cli",
  });
});

test("as JSON: rows, collisions and where it goes on", async () => {
  const bench = new Bench();
  await bench.run(createInspect(bench.source), { all: false, format: "json", limit: 1 });
  expect(JSON.parse(bench.stdout)).toEqual({
    servers: [
      {
        name: "everything",
        state: "ready",
        reason: null,
        toolCount: 1,
        counts: null,
        tags: ["demo"],
      },
    ],
    collisions: [],
    nextCursor: "everything",
  });
  expect(bench.notes).toEqual([]);
});

test("says how to go on, and what collided", async () => {
  const bench = new Bench();
  const [inventory] = bench.inventories;
  bench.inventories = [
    { servers: inventory?.servers ?? [], collisions: ["a__b is offered twice"] },
  ];
  await bench.run(createInspect(bench.source), { all: false, limit: 1, url: "http://localhost:1" });
  expect(bench.notes).toEqual([
    "a__b is offered twice",
    "1 more: agent inspect --url http://localhost:1 --cursor everything (or --all)",
  ]);
});

test("of many that collided the first are told, how many there are, and where all stand", async () => {
  const bench = new Bench();
  const [inventory] = bench.inventories;
  const collisions = Array.from({ length: 200 }, (_none, index) => `a__${index} is offered twice`);
  bench.inventories = [{ servers: inventory?.servers ?? [], collisions }];
  await bench.run(createInspect(bench.source), { all: true, url: "http://localhost:1" });
  expect(bench.notes).toEqual([
    "a__0 is offered twice",
    "a__1 is offered twice",
    "a__2 is offered twice",
    "200 names or URIs collide; the 197 others: agent inspect --url http://localhost:1 --json, or GET /servers",
  ]);
  await bench.run(createInspect(bench.source), { all: true, format: "json" });
  expect(bench.stdout).toContain("a__199 is offered twice");
});

test("shows how many prompts, resources and templates there are, where there are any", async () => {
  const bench = new Bench();
  const [inventory] = bench.inventories;
  const [everything, down] = inventory?.servers ?? [];
  if (everything === undefined || down === undefined) throw new Error("The bench has two servers");
  const counts = { prompts: 4, resources: 1, resourceTemplates: 0 };
  bench.inventories = [{ servers: [{ ...everything, counts }, down], collisions: [] }];
  await bench.run(createInspect(bench.source), { all: false });
  expect(bench.stdout).toBe(
    [
      "NAME        STATE        TOOLS  PROMPTS  RESOURCES  TAGS  REASON",
      "everything  ready        1      4        1          demo",
      "down        unavailable  -      -        -          -     exited with 1",
      "",
    ].join("\n"),
  );
  bench.stdout = "";
  await bench.run(createInspect(bench.source), { all: false, target: "everything" });
  expect(bench.stdout).toMatch(/^everything: ready, 1 tool, 4 prompts, 1 resource; /u);
  bench.stdout = "";
  await bench.run(createInspect(bench.source), { all: false, format: "json" });
  expect(JSON.parse(bench.stdout)).toMatchObject({ servers: [{ counts }, { counts: null }] });
});

test("no server at all is said", async () => {
  const bench = new Bench();
  bench.inventories = [{ servers: [], collisions: [] }];
  await bench.run(createInspect(bench.source), { all: false });
  expect(bench).toMatchObject({ stdout: "", notes: ["No servers are configured"] });
});

test("a server's tools are lines to paste; foreign text is escaped on a terminal only", async () => {
  const bench = new Bench();
  await bench.run(createInspect(bench.source), { all: false, target: "everything" });
  expect(bench.stdout).toContain("\neverything/echo message=<string>\n    Echoes \u001b[31mback\n");
  expect(bench.stdout).toContain("Said by the server:\n| Be kind\n");
  expect(bench.stdout).toContain("Last lines of its stderr:\n| last \u001b[2Jwords\n");
  bench.stdout = "";
  bench.terminal = true;
  await bench.run(createInspect(bench.source), { all: false, target: "everything" });
  expect(bench.stdout).not.toContain("\u001b");
  expect(bench.stdout).toContain(String.raw`Echoes \x1b[31mback`);
});

test("a server as JSON, its tools with every field", async () => {
  const bench = new Bench();
  await bench.run(createInspect(bench.source), {
    all: false,
    target: "everything",
    format: "json",
  });
  expect(JSON.parse(bench.stdout)).toEqual({
    name: "everything",
    state: "ready",
    reason: null,
    toolCount: 1,
    counts: null,
    tags: ["demo"],
    serverInfo: null,
    instructions: "Be kind",
    stderrTail: ["last \u001b[2Jwords"],
    problems: [],
    tools: [{ signature: "everything/echo message=<string>", ...echoTool }],
    nextCursor: null,
  });
});

test("a server that is not ready is shown, and is a failure", async () => {
  const bench = new Bench();
  await expect(
    bench.run(createInspect(bench.source), { all: false, target: "down" }),
  ).rejects.toMatchObject({
    code: "upstream_unavailable",
    message: "down is unavailable",
    hint: expect.stringContaining("agent serve --status"),
  });
  expect(bench.stdout).toContain("down: unavailable\nReason: exited with 1\n");
  expect(bench.stdout).toContain("| last");
});

test("a server of which something is withheld says so below the table, and how to see it", async () => {
  const bench = new Bench();
  const shop = { name: "shop", state: "ready" as const, toolCount: 0, tags: [] };
  bench.inventories = [{ servers: [{ ...shop, withheld: 3 }], collisions: [] }];
  await bench.run(createInspect(bench.source), { all: false });
  expect(bench.notes).toEqual(["shop: 3 tools are withheld: agent mcp approve shop"]);
});

test("a tool: how it is called, what it takes, its schema", async () => {
  const bench = new Bench();
  await bench.run(createInspect(bench.source), { all: false, target: "everything/echo" });
  expect(bench.stdout).toContain("agent run everything/echo message=<string>\n");
  expect(bench.stdout).toContain("  message  string  required\n");
  expect(bench.stdout).toContain(JSON.stringify(echoTool.inputSchema, null, 2));
  bench.stdout = "";
  await bench.run(createInspect(bench.source), {
    all: false,
    target: "everything/echo",
    format: "json",
  });
  expect(JSON.parse(bench.stdout)).toEqual({
    server: "everything",
    signature: "everything/echo message=<string>",
    tool: echoTool,
  });
});

test("JSON on a terminal acts on nothing and is the same value", async () => {
  const bench = new Bench();
  bench.terminal = true;
  await bench.run(createInspect(bench.source), {
    all: false,
    target: "everything/echo",
    format: "json",
  });
  expect(bench.stdout).not.toContain("\u001b");
  expect(JSON.parse(bench.stdout)).toHaveProperty("tool.description", echoTool["description"]);
});

test("an unknown server is passed on, and leave is taken", async () => {
  const bench = new Bench();
  await expect(
    bench.run(createInspect(bench.source), { all: false, target: "nope" }),
  ).rejects.toMatchObject({ code: "not_found" });
  expect(bench.closed).toBe(1);
});
