import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startForeignGateway } from "./support/foreign-gateway.ts";
import type { ForeignGateway } from "./support/foreign-gateway.ts";

let gateway: ForeignGateway;
beforeAll(async () => {
  gateway = await startForeignGateway();
});
afterAll(() => gateway?.stop());

const bearer = (token = gateway.token) => ({
  requestInit: { headers: { authorization: `Bearer ${token}` } },
});
const overHttp = (token?: string) =>
  new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), bearer(token));
const overSse = () => new SSEClientTransport(new URL(`${gateway.url}/sse`), bearer());

/** The client of the SDK's first generation, which declares that it can be asked, or that it cannot. */
async function withClient<Result>(
  use: (client: Client) => Promise<Result>,
  {
    asked = false,
    transport = overHttp(),
  }: { asked?: boolean; transport?: ReturnType<typeof overHttp> | ReturnType<typeof overSse> } = {},
): Promise<Result> {
  const capabilities = asked
    ? { elicitation: { form: {} }, sampling: {}, roots: { listChanged: true } }
    : {};
  const client = new Client({ name: "foreign", version: "1.0.0" }, { capabilities });
  if (asked) {
    client.setRequestHandler(ElicitRequestSchema, () => ({
      action: "accept",
      content: { answer: "blue", name: "Ann" },
    }));
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      role: "assistant",
      content: { type: "text", text: "sampled" },
      model: "none",
    }));
    client.setRequestHandler(ListRootsRequestSchema, () => ({
      roots: [{ uri: "file:///mine", name: "mine" }],
    }));
  }
  await client.connect(transport);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

const call = (client: Client, name: string, args: Record<string, unknown>) =>
  client.callTool({ name, arguments: args });
const text = (value: unknown) => ({
  content: [expect.objectContaining({ type: "text", text: value })],
});

describe("other people's servers behind the gateway, seen by the SDK's first generation", () => {
  test("all of them list their tools under their names", async () => {
    const { tools } = await withClient((client) => client.listTools());
    const names = tools.map(({ name }) => name);
    for (const name of [
      "everything__echo",
      "files__read_text_file",
      "memory__create_entities",
      "thinking__sequentialthinking",
      "fast__add",
      "asking__echo",
      "fasthttp__add",
    ]) {
      expect(names).toContain(name);
    }
  });

  test("server-filesystem reads a file", async () => {
    const answer = await withClient((client) =>
      call(client, "files__read_text_file", { path: gateway.file }),
    );
    expect(answer).toMatchObject(text("hello from a file\n"));
  });

  test("server-memory remembers", async () => {
    const entity = { name: "door", entityType: "thing", observations: ["it is open"] };
    await withClient(async (client) => {
      await call(client, "memory__create_entities", { entities: [entity] });
      expect(await call(client, "memory__search_nodes", { query: "open" })).toMatchObject({
        structuredContent: { entities: [entity] },
      });
    });
  });

  test("server-sequential-thinking counts thoughts", async () => {
    const thought = {
      thought: "First",
      nextThoughtNeeded: false,
      thoughtNumber: 1,
      totalThoughts: 1,
    };
    const answer = await withClient((client) =>
      call(client, "thinking__sequentialthinking", thought),
    );
    expect(answer).toMatchObject({
      structuredContent: { thoughtNumber: 1, nextThoughtNeeded: false },
    });
  });

  test.each(["fast", "fasthttp"])(
    "a fastmcp server (%s) calls, fails, and reports progress",
    async (server) => {
      await withClient(async (client) => {
        expect(await call(client, `${server}__add`, { a: 2, b: 3 })).toMatchObject(text("5"));
        expect(await call(client, `${server}__fail`, {})).toMatchObject({
          isError: true,
          ...text("that went wrong"),
        });
        const heard: unknown[] = [];
        await client.callTool({ name: `${server}__count`, arguments: { to: 3 } }, undefined, {
          onprogress: (progress) => heard.push(progress),
        });
        expect(heard).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3 })));
      });
    },
  );

  test("resources and templates of all of them are there, and are read", async () => {
    await withClient(async (client) => {
      const { resources } = await client.listResources();
      const uris = resources.map(({ uri }) => uri);
      expect(uris).toContain("fast://motd");
      expect(uris).toContain("demo://resource/static/document/features.md");
      const { resourceTemplates } = await client.listResourceTemplates();
      const templates = resourceTemplates.map(({ uriTemplate }) => uriTemplate);
      expect(templates).toEqual(
        expect.arrayContaining(["fast://user/{name}", "demo://resource/dynamic/text/{resourceId}"]),
      );
      expect(await client.readResource({ uri: "fast://motd" })).toMatchObject({
        contents: [{ text: "be quick" }],
      });
      expect(await client.readResource({ uri: "fast://user/bob" })).toMatchObject({
        contents: [{ text: "user bob" }],
      });
      expect(await client.readResource({ uri: "demo://resource/dynamic/text/7" })).toMatchObject({
        contents: [
          { uri: "demo://resource/dynamic/text/7", text: expect.stringContaining("Resource 7") },
        ],
      });
      const uri = "fast://nothing/here";
      await expect(client.readResource({ uri })).rejects.toMatchObject({
        code: -32_002,
        data: { uri },
      });
    });
  });

  test("the same URI of two servers is offered twice, each with its own way to it", async () => {
    await withClient(async (client) => {
      const { resources } = await client.listResources();
      const uris = resources.map(({ uri }) => uri).filter((uri) => uri.endsWith("fast://motd"));
      expect(uris).toEqual(["fast://motd", "onedoor:fasthttp:fast://motd"]);
      for (const uri of uris) {
        expect(await client.readResource({ uri })).toMatchObject({
          contents: [{ text: "be quick" }],
        });
      }
    });
  });

  test("prompts and completions of all of them are there", async () => {
    await withClient(async (client) => {
      const { prompts } = await client.listPrompts();
      const names = prompts.map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining(["everything__args-prompt", "fast__commit", "fasthttp__commit"]),
      );
      const prompt = await client.getPrompt({
        name: "fast__commit",
        arguments: { changes: "the door" },
      });
      expect(prompt.messages).toEqual([
        { role: "user", content: { type: "text", text: "Write a commit message for the door" } },
      ]);
      const ref = { type: "ref/prompt", name: "everything__completable-prompt" } as const;
      const { completion } = await client.complete({
        ref,
        argument: { name: "department", value: "S" },
      });
      expect(completion.values).toEqual(["Sales", "Support"]);
      const user = { type: "ref/resource", uri: "fast://user/{name}" } as const;
      const users = await client.complete({ ref: user, argument: { name: "name", value: "a" } });
      expect(users.completion.values).toEqual(["ann"]);
    });
  });

  test("every server's instructions are passed on under its name", async () => {
    const instructions = await withClient((client) => Promise.resolve(client.getInstructions()));
    expect(instructions).toContain("Fast.");
    expect(instructions).toContain("thinking");
  });
});

describe.each([
  ["Streamable HTTP", () => overHttp()],
  ["HTTP+SSE", () => overSse()],
])("a client of the SDK's first generation over %s", (_name, transport) => {
  test("can be asked by the servers it calls", async () => {
    await withClient(
      async (client) => {
        expect(await call(client, "fasthttp__ask", { question: "which colour?" })).toMatchObject(
          text("accept: blue"),
        );
        const elicited = await call(client, "asking__trigger-elicitation-request", {});
        expect(JSON.stringify(elicited)).toContain("- Name: Ann");
        const sampled = await call(client, "asking__trigger-sampling-request", {
          prompt: "say it",
        });
        expect(JSON.stringify(sampled)).toContain("sampled");
        const roots = await call(client, "asking__get-roots-list", {});
        expect(JSON.stringify(roots)).toContain("file:///mine");
      },
      { asked: true, transport: transport() },
    );
  });

  test("that cannot be asked is not offered the tools for it, and is never asked", async () => {
    await withClient(
      async (client) => {
        const { tools } = await client.listTools();
        const names = tools.map(({ name }) => name);
        expect(names).not.toContain("asking__trigger-elicitation-request");
        expect(names).not.toContain("asking__trigger-sampling-request");
        expect(await call(client, "fasthttp__ask", { question: "anyone?" })).toMatchObject({
          isError: true,
        });
      },
      { transport: transport() },
    );
  });
});

test("a wrong bearer is refused", async () => {
  const transport = overHttp(`${gateway.token}x`);
  await expect(withClient((client) => client.listTools(), { transport })).rejects.toMatchObject({
    code: 401,
  });
});
