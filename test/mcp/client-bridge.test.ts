import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterEach, describe, expect, it } from "vitest";
import { fakeAudit } from "../gateway/fakes.ts";
import { gatewayBefore, programServer } from "./real-gateway.ts";

// What servers ask comes to the right one of two clients, whichever era each side speaks: other people's
// clients before our gateway before other people's servers.

const own = { connection: "session", connectionWritten: true } as const;
const gateway = gatewayBefore(
  [
    programServer("alpha", "everything", own),
    programServer("beta", "everything", own),
    programServer("modern", "modern", own),
  ],
  fakeAudit(),
);

/** A client that answers whatever it is asked with its own name, and remembers what it was asked and told. */
interface Person {
  client: Client;
  asked: string[];
  told: { method: string; params: Record<string, unknown> }[];
}
const people: Person[] = [];
afterEach(async () => {
  for (const { client } of people.splice(0)) await client.close();
});

const info = { name: "bridge", version: "1" };
const capabilities = { sampling: {}, elicitation: {}, roots: { listChanged: true } };

const answers = (person: Pick<Person, "asked">, name: string) => ({
  elicit: () => {
    person.asked.push("elicitation");
    return { action: "accept" as const, content: { name } };
  },
  sample: () => {
    person.asked.push("sampling");
    return {
      model: `model-of-${name}`,
      role: "assistant" as const,
      content: { type: "text" as const, text: `said by ${name}` },
    };
  },
  roots: () => {
    person.asked.push("roots");
    return { roots: [{ uri: `file:///home/${name}`, name }] };
  },
});

async function connect(
  name: string,
  token: string,
  mode: "legacy" | "auto",
  declared: Partial<typeof capabilities> = capabilities,
): Promise<Person> {
  const client = new Client(info, { capabilities: declared, versionNegotiation: { mode } });
  const person: Person = { client, asked: [], told: [] };
  const { elicit, sample, roots } = answers(person, name);
  if (declared === capabilities) {
    client.setRequestHandler("elicitation/create", elicit);
    client.setRequestHandler("sampling/createMessage", sample);
    client.setRequestHandler("roots/list", roots);
  }
  for (const method of ["notifications/message", "notifications/resources/updated"] as const) {
    client.setNotificationHandler(method, ({ params }) => {
      person.told.push({ method, params: { ...params } });
    });
  }
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(gateway.endpoint, { requestInit }));
  people.push(person);
  return person;
}

async function connectV1(name: string, token: string): Promise<Person> {
  const client = new LegacyClient(info, { capabilities });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both have what is used here
  const person: Person = { client: client as unknown as Client, asked: [], told: [] };
  const { elicit, sample, roots } = answers(person, name);
  client.setRequestHandler(ElicitRequestSchema, elicit);
  client.setRequestHandler(CreateMessageRequestSchema, sample);
  client.setRequestHandler(ListRootsRequestSchema, roots);
  for (const schema of [LoggingMessageNotificationSchema, ResourceUpdatedNotificationSchema]) {
    client.setNotificationHandler(schema, ({ method, params }) => {
      person.told.push({ method, params: { ...params } });
    });
  }
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new LegacyTransport(gateway.endpoint, { requestInit }));
  people.push(person);
  return person;
}

type Connect = (name: string, token: string) => Promise<Person>;
const clients: [name: string, open: Connect, era: "legacy" | "modern"][] = [
  ["client, modern", (name, token) => connect(name, token, "auto"), "modern"],
  ["client, legacy", (name, token) => connect(name, token, "legacy"), "legacy"],
  ["sdk v1", connectV1, "legacy"],
];

const textOf = (result: unknown): string => JSON.stringify(result);

describe.each(clients)("%s", (_name, open, era) => {
  const pair = async (): Promise<[ada: Person, eve: Person]> => [
    await open("ada", "good-token"),
    await open("eve", "eve-token"),
  ];

  it("is asked by a legacy server, each client by its own call", async () => {
    const both = await pair();
    const results = await Promise.all(
      both.flatMap(({ client }) =>
        ["alpha", "beta"].map((upstream) =>
          client.callTool({ name: `${upstream}__trigger-elicitation-request`, arguments: {} }),
        ),
      ),
    );
    expect(results.map(textOf)).toEqual([
      ...Array.from({ length: 2 }, () => expect.stringContaining("Name: ada")),
      ...Array.from({ length: 2 }, () => expect.stringContaining("Name: eve")),
    ]);
    for (const { asked } of both) {
      expect(asked.filter((what) => what === "elicitation")).toHaveLength(2);
    }
  });

  it("samples for a legacy server", async () => {
    const both = await pair();
    const results = await Promise.all(
      both.map(({ client }) =>
        client.callTool({ name: "alpha__trigger-sampling-request", arguments: { prompt: "x" } }),
      ),
    );
    expect(results.map(textOf)).toEqual([
      expect.stringContaining("said by ada"),
      expect.stringContaining("said by eve"),
    ]);
  });

  it("tells its roots to a legacy server, and nobody else's", async () => {
    const both = await pair();
    const results = await Promise.all(
      both.map(({ client }) => client.callTool({ name: "beta__get-roots-list", arguments: {} })),
    );
    const [ada, eve] = results.map(textOf);
    expect(ada).toContain("file:///home/ada");
    expect(ada).not.toContain("eve");
    expect(eve).toContain("file:///home/eve");
  });

  it("is asked by a modern server", async () => {
    const both = await pair();
    const results = await Promise.all(
      both.map(({ client }) => client.callTool({ name: "modern__ask", arguments: {} })),
    );
    expect(results.map(textOf)).toEqual([
      expect.stringContaining('"name":"ada"'),
      expect.stringContaining('"name":"eve"'),
    ]);
  });

  it("hears of resources it subscribed to, and of no others", async () => {
    // Of a modern client's calls each may have a connection of its own, and this server updates what was
    // subscribed to on the connection that asked for it. Who declares nothing shares the common one.
    const ada =
      era === "legacy"
        ? await open("ada", "good-token")
        : await connect("ada", "good-token", "auto", {});
    const eve = await open("eve", "eve-token");
    const uri = "demo://resource/dynamic/text/1";
    const ended = new AbortController();
    if (era === "legacy") await ada.client.subscribeResource({ uri });
    else await ada.client.listen({ resourceSubscriptions: [uri] }, { signal: ended.signal });
    await ada.client.callTool({ name: "alpha__toggle-subscriber-updates", arguments: {} });
    await expect
      .poll(() => ada.told, { timeout: 20_000 })
      .toContainEqual(expect.objectContaining({ method: "notifications/resources/updated" }));
    expect(eve.told.filter(({ method }) => method.endsWith("updated"))).toEqual([]);
    await ada.client.callTool({ name: "alpha__toggle-subscriber-updates", arguments: {} });
    ended.abort();
  });
});

describe("what a client did not declare", () => {
  it("is not offered to it", async () => {
    const client = new Client(info, { versionNegotiation: { mode: "legacy" } });
    const requestInit = { headers: { authorization: "Bearer good-token" } };
    await client.connect(new StreamableHTTPClientTransport(gateway.endpoint, { requestInit }));
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toContain("alpha__echo");
    expect(names).not.toContain("alpha__trigger-elicitation-request");
    await client.close();
    const { client: other } = await connect("ada", "good-token", "legacy");
    const more = await other.listTools();
    expect(more.tools.map(({ name }) => name)).toContain("alpha__trigger-elicitation-request");
  });
});

it("a legacy client sets the level of the log messages it gets", async () => {
  const quiet = await connect("ada", "good-token", "legacy");
  await quiet.client.setLoggingLevel("error");
  await quiet.client.callTool({
    name: "alpha__trigger-sampling-request",
    arguments: { prompt: "x" },
  });
  expect(quiet.asked).toContain("sampling");
  expect(quiet.told.filter(({ params }) => params["level"] === "info")).toEqual([]);
});
