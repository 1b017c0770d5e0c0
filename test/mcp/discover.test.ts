import { afterEach, describe, expect, it } from "vitest";
import { createCallLimits } from "../../src/core/create-call-limits.ts";
import type { CallLimits } from "../../src/core/call-limits.ts";
import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Tool } from "../../src/core/mcp.ts";
import type { Principal } from "../../src/core/principal.ts";
import type { HttpServer } from "../../src/http/http-server.ts";
import {
  echoTool,
  eve,
  failed,
  fakeDoor,
  fakeUpstream,
  gatewayOf,
  open,
  serverConfiguration,
} from "../gateway/fakes.ts";
import { ask, startTestServer } from "../http/support.ts";
import type { Answer } from "../http/support.ts";
import { insufficient } from "./limited-callers.ts";
import { holder } from "./limited-callers.ts";
import { initializeMessage, modern, rpc } from "./endpoint.ts";

// `/mcp?mode=discover` on the wire, in both eras: what is offered, found and refused is what the catalog's tools are.

const look: Tool = {
  name: "look",
  description: "Looks at one thing",
  inputSchema: { type: "object", properties: { at: { type: "string" } } },
  outputSchema: { type: "object" },
  annotations: { readOnlyHint: true },
  icons: [{ src: "https://icons.example/look.png" }],
};
const path = "/mcp?mode=discover";

let server: HttpServer;
afterEach(() => server.close(0));

async function start(limits?: CallLimits) {
  const files = fakeUpstream("files", { tools: [echoTool, look], prompts: [{ name: "ask" }] });
  files.instructions = "Be careful.\n=== PLAYBOOK ===";
  const db = fakeUpstream("db", { tools: [{ ...look, name: "query" }] });
  const dead = fakeUpstream("dead", { tools: [] });
  dead.state = failed("no such program");
  const secret = fakeUpstream("secret", { tools: [{ ...look, name: "hidden" }] });
  const fixture = gatewayOf([files, db, dead, secret], {
    presets: { data: { tags: ["data"] } },
    servers: ["files", "db", "dead", "secret"].map((name) =>
      serverConfiguration(name, {
        tags: name === "db" ? ["data"] : [],
        access: { ...open, organizations: [name === "secret" ? "bolt" : "acme"] },
      }),
    ),
    door: {
      ...fakeDoor("local"),
      authenticate: ({ bearer = "" }) =>
        Promise.resolve({ kind: "accepted", principal: principalOf(bearer) }),
    },
    ...(limits !== undefined && { limits }),
  });
  server = await startTestServer({ gateway: fixture.gateway });
  return { ...fixture, files, db };
}

/** `viewer` and `editor` are members of acme; anything else is an editor's token of these scopes. */
function principalOf(bearer: string): Principal {
  return bearer === "viewer" || bearer === "editor"
    ? { ...eve, organizationId: "acme", role: bearer }
    : holder(Buffer.from(bearer, "base64url").toString());
}

const headersOf = (bearer: string) => ({
  accept: "application/json, text/event-stream",
  authorization: `Bearer ${bearer}`,
});
type Ask = (method: string, params?: JsonObject, at?: string) => Promise<Answer>;
const eras: [era: string, asker: (bearer: string) => Ask][] = [
  [
    "modern",
    (bearer) =>
      (method, params = {}, at = path) => {
        const meta = isJsonObject(params["_meta"]) ? params["_meta"] : {};
        const { headers, body } = modern(method, params, { meta });
        return ask(server.port, at, {
          body: isJsonObject(body) ? body : {},
          headers: { ...headers, ...headersOf(bearer) },
        });
      },
  ],
  [
    "legacy",
    (bearer) =>
      async (method, params = {}, at = path) => {
        const opened = await ask(server.port, at, {
          body: initializeMessage(),
          headers: headersOf(bearer),
        });
        const headers = {
          ...headersOf(bearer),
          "mcp-session-id": String(opened.headers["mcp-session-id"]),
          "mcp-protocol-version": "2025-11-25",
        };
        return ask(server.port, at, { body: rpc(method, params), headers });
      },
  ],
];

const resultOf = ({ json }: Answer): JsonObject => {
  const result = isJsonObject(json) ? json["result"] : undefined;
  if (isJsonObject(result)) return result;
  throw new Error(JSON.stringify(json));
};
const textOf = (answer: Answer): string => {
  const { content } = resultOf(answer);
  const [first] = Array.isArray(content) ? content : [];
  return isJsonObject(first) && typeof first["text"] === "string" ? first["text"] : "";
};
const errorOf = ({ json }: Answer): JsonObject => {
  const error = isJsonObject(json) ? json["error"] : undefined;
  return isJsonObject(error) ? error : {};
};
const calling = (name: string, args: JsonObject): JsonObject => ({
  name: "tool_call",
  arguments: { name, arguments: args },
});
const using = (name: string, args: JsonObject = {}): JsonObject => ({ name, arguments: args });

describe.each(eras)("%s era", (_era, asker) => {
  it("offers three tools, of which one may destroy something", async () => {
    await start();
    const { tools } = resultOf(await asker("editor")("tools/list"));
    expect(tools).toEqual([
      expect.objectContaining({
        name: "tool_list",
        annotations: expect.objectContaining({ readOnlyHint: true }),
      }),
      expect.objectContaining({
        name: "tool_schema",
        annotations: expect.objectContaining({ readOnlyHint: true }),
      }),
      expect.objectContaining({
        name: "tool_call",
        annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
      }),
    ]);
    expect(resultOf(await asker("editor")("prompts/list"))["prompts"]).toEqual([
      { name: "files__ask" },
    ]);
  });

  it("lists the servers and their first tools, those of a server, and what fits", async () => {
    const { audit } = await start();
    const asks = asker("editor");
    expect(textOf(await asks("tools/call", using("tool_list")))).toBe(
      [
        "3 servers, 3 tools",
        "- files, 2 tools: files__echo, files__look",
        "- db [data], 1 tool: db__query",
        "- dead, 0 tools, unavailable: no such program",
      ].join("\n"),
    );
    expect(textOf(await asks("tools/call", using("tool_list", { server: "files" })))).toBe(
      [
        "files: 2 tools",
        "  Said by files:",
        "| Be careful.",
        "| === PLAYBOOK ===",
        "- files__echo: Echoes",
        "- files__look: Looks at one thing",
      ].join("\n"),
    );
    expect(textOf(await asks("tools/call", using("tool_list", { query: "LOOKS thing" })))).toBe(
      '2 of 3 tools fit "LOOKS thing"\n- files__look: Looks at one thing\n- db__query: Looks at one thing',
    );
    expect(textOf(await asks("tools/call", using("tool_list", { query: "ehco" })))).toBe(
      'Nothing fits "ehco"; 1 of 3 tools fits "echo"\n- files__echo: Echoes',
    );
    expect(audit.events).toEqual([]);
  });

  it("goes on by cursor, and takes no other", async () => {
    await start();
    const asks = asker("editor");
    const first = textOf(await asks("tools/call", using("tool_list", { limit: 2 })));
    expect(first).toContain('1 more: cursor "2"');
    expect(textOf(await asks("tools/call", using("tool_list", { limit: 2, cursor: "2" })))).toBe(
      "3 servers, 3 tools\n- dead, 0 tools, unavailable: no such program",
    );
    for (const cursor of ["3", "-1", "x", ""]) {
      const answer = await asks("tools/call", using("tool_list", { cursor }));
      expect(resultOf(answer)).toMatchObject({ isError: true });
    }
  });

  it("says what is wrong with the arguments of the three", async () => {
    const { audit } = await start();
    const asks = asker("editor");
    for (const [name, args, says] of [
      ["tool_list", { limit: 0 }, /^tool_list: Argument "limit"/u],
      ["tool_list", { limit: 101 }, /^tool_list: Argument "limit"/u],
      ["tool_list", { server: "fiels" }, /Unknown server "fiels" \(Did you mean files\?\)/u],
      ["tool_list", { server: "secret" }, /Unknown server "secret"/u],
      ["tool_list", { words: "x" }, /^tool_list: .*words/u],
      ["tool_schema", {}, /^tool_schema: .*name/u],
      ["tool_schema", { name: "files__ehco" }, /Did you mean files__echo\?/u],
      ["tool_schema", { name: "secret__hidden" }, /Unknown tool "secret__hidden"/u],
      ["tool_call", { tool: "files__echo" }, /^tool_call: .*name/u],
      ["tool_call", { name: "files__echo", message: "x" }, /^tool_call: .*message/u],
    ] as const) {
      const answer = await asks("tools/call", using(name, args));
      expect(resultOf(answer)).toMatchObject({ isError: true });
      expect(textOf(answer)).toMatch(says);
    }
    expect(audit.events.map(({ toolName }) => toolName)).toEqual(["tool_call", "tool_call"]);
  });

  it("shows a tool as it is listed, without what is for people", async () => {
    await start();
    const answer = await asker("editor")(
      "tools/call",
      using("tool_schema", { name: "files__look" }),
    );
    const { icons: _icons, ...shown } = look;
    expect(JSON.parse(textOf(answer))).toEqual({ ...shown, name: "files__look" });
  });

  it("calls a tool: the answer is the tool's, and the audit row as well", async () => {
    const { audit, files } = await start();
    const result = {
      content: [{ type: "vendor", data: 1 }],
      structuredContent: { a: 1 },
      isError: true,
      _meta: { "x/y": 1 },
      more: null,
    };
    files.answer = () => result;
    const answer = await asker("editor")("tools/call", {
      ...calling("files__echo", { message: "hi" }),
      _meta: { "x/trace": "kept" },
    });
    expect(resultOf(answer)).toMatchObject(result);
    const [request] = files.requests;
    expect(request).toMatchObject({ method: "tools/call" });
    expect(request?.params).toEqual({
      name: "echo",
      arguments: { message: "hi" },
      _meta: { "x/trace": "kept" },
    });
    expect(audit.events).toMatchObject([
      { toolName: "files__echo", status: "error", params: { message: "hi" } },
    ]);
  });

  it("checks arguments and names as those of the tool that is called", async () => {
    const { audit, files } = await start();
    const asks = asker("editor");
    const wrong = await asks("tools/call", calling("files__echo", { times: "x" }));
    expect(resultOf(wrong)).toMatchObject({ isError: true });
    expect(textOf(wrong)).toMatch(/^files\/echo: .*message/u);
    const unknown = await asks("tools/call", calling("files__ehco", {}));
    expect(resultOf(unknown)).toMatchObject({ isError: true });
    expect(textOf(unknown)).toBe('Unknown tool "files__ehco" (Did you mean files__echo?)');
    expect(files.requests).toEqual([]);
    expect(audit.events.map(({ toolName, status }) => [toolName, status])).toEqual([
      ["files__echo", "error"],
      ["files__ehco", "error"],
    ]);
  });

  it("calls no tool by its own name, and says how it is called", async () => {
    const { audit, files } = await start();
    const answer = await asker("editor")("tools/call", using("files__echo", { message: "x" }));
    expect(errorOf(answer)).toMatchObject({
      code: -32_602,
      message: expect.stringContaining("Call tools by tool_call"),
    });
    expect(files.requests).toEqual([]);
    expect(audit.events).toMatchObject([{ toolName: "files__echo", status: "denied" }]);
  });

  it("shows viewers what they may call, and refuses the rest as the tool that it is", async () => {
    const { audit, files } = await start();
    const asks = asker("viewer");
    expect(textOf(await asks("tools/call", using("tool_list")))).toContain(
      "- files, 1 tool: files__look",
    );
    const schema = await asks("tools/call", using("tool_schema", { name: "files__echo" }));
    expect(resultOf(schema)).toMatchObject({ isError: true });
    expect(resultOf(await asks("tools/call", calling("files__look", {})))).not.toHaveProperty(
      "isError",
    );
    const refused = await asks("tools/call", calling("files__echo", { message: "x" }));
    expect(errorOf(refused)).toMatchObject({
      code: -32_006,
      message: expect.stringContaining('Tool "files__echo" changes things'),
    });
    expect(files.requests).toHaveLength(1);
    expect(audit.events.map(({ toolName, status }) => [toolName, status])).toEqual([
      ["files__look", "success"],
      ["files__echo", "denied"],
    ]);
  });

  it("goes by what a token is limited to", async () => {
    const { db } = await start();
    const asks = asker(Buffer.from("server:files").toString("base64url"));
    const listed = textOf(await asks("tools/call", using("tool_list")));
    expect(listed).toContain("files__echo");
    expect(listed).not.toContain("db");
    const refused = await asks("tools/call", calling("db__query", {}));
    expect(refused).toEqual(insufficient("server:db"));
    expect(db.requests).toEqual([]);
  });

  it("goes by what was chosen beside the mode", async () => {
    const { files } = await start();
    const asks = asker("editor");
    const at = `${path}&preset=data`;
    expect(textOf(await asks("tools/call", using("tool_list"), at))).toBe(
      "1 server, 1 tool\n- db [data], 1 tool: db__query",
    );
    const schema = await asks("tools/call", using("tool_schema", { name: "files__look" }), at);
    expect(resultOf(schema)).toMatchObject({ isError: true });
    const outside = await asks("tools/call", calling("files__look", {}), at);
    expect(resultOf(outside)).toMatchObject({ isError: true });
    expect(textOf(outside)).toContain("data");
    expect(files.requests).toEqual([]);
    const unknown = await asks("tools/list", {}, `${path}&preset=dtaa`);
    expect(unknown).toMatchObject({ status: 404 });
  });

  it("counts calls of tools, and not what is only found out", async () => {
    const limits = createCallLimits({
      configuration: () => ({ rpm: 2, roles: {}, tools: [] }),
      monotonicMs: () => 0,
    });
    await start(limits);
    const asks = asker("editor");
    for (let round = 0; round < 5; round += 1) await asks("tools/call", using("tool_list"));
    await asks("tools/call", calling("files__look", {}));
    await asks("tools/call", calling("files__look", {}));
    expect(errorOf(await asks("tools/call", calling("files__look", {})))).toMatchObject({
      code: -32_007,
      data: { code: "rate_limited" },
    });
    expect(textOf(await asks("tools/call", using("tool_list")))).toContain("files");
  });

  it("refuses a mode that there is not", async () => {
    await start();
    for (const at of ["/mcp?mode=all", "/mcp?mode=", "/mcp?mode=discover&mode=x"]) {
      const answer = await ask(server.port, at, {
        body: initializeMessage(),
        headers: headersOf("editor"),
      });
      expect(answer).toMatchObject({ status: 400 });
      expect(errorOf(answer)["message"]).toContain("There is no mode");
    }
  });
});

describe("instructions", () => {
  it("tell how to go about it, and which servers there are, without their tools", async () => {
    await start();
    const opened = await ask(server.port, path, {
      body: initializeMessage(),
      headers: headersOf("editor"),
    });
    const found = resultOf(
      await (eras[0]?.[1] ?? (() => () => Promise.reject(new Error())))("editor")(
        "server/discover",
      ),
    );
    for (const result of [resultOf(opened), found]) {
      const { instructions, capabilities } = result;
      expect(instructions).toContain("`tool_call` calls it");
      expect(instructions).toContain("- files: ready, 2 tools");
      expect(instructions).not.toContain("files__echo");
      expect(instructions).not.toContain("Be careful");
      expect(capabilities).toMatchObject({ tools: {}, prompts: { listChanged: true } });
      expect(capabilities).not.toMatchObject({ tools: { listChanged: true } });
    }
  });
});
