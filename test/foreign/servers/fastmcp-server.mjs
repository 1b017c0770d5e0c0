// A server built with `fastmcp`, another framework than the official SDKs'. With a port it serves Streamable
// HTTP there, else stdio.
import { FastMCP, UserError } from "fastmcp";
import { z } from "zod";

const server = new FastMCP({ name: "fast", version: "1.0.0", instructions: "Fast." });
server.addTool({
  name: "add",
  description: "Adds two numbers",
  parameters: z.object({ a: z.number(), b: z.number() }),
  annotations: { readOnlyHint: true, title: "Add" },
  execute: async ({ a, b }) => String(a + b),
});
server.addTool({
  name: "count",
  description: "Counts, and says how far it is",
  parameters: z.object({ to: z.number() }),
  async execute({ to }, { reportProgress }) {
    for (let progress = 1; progress <= to; progress++)
      await reportProgress({ progress, total: to });
    return `counted to ${to}`;
  },
});
server.addTool({
  name: "ask",
  description: "Asks the person at the client",
  parameters: z.object({ question: z.string() }),
  async execute({ question }, { elicit }) {
    const { action, content } = await elicit({
      message: question,
      requestedSchema: { type: "object", properties: { answer: { type: "string" } } },
    });
    return `${action}: ${String(content?.["answer"])}`;
  },
});
server.addTool({
  name: "fail",
  description: "Always fails",
  execute: async () => {
    throw new UserError("that went wrong");
  },
});
server.addResource({
  uri: "fast://motd",
  name: "Message of the day",
  mimeType: "text/plain",
  load: async () => ({ text: "be quick" }),
});
server.addResourceTemplate({
  uriTemplate: "fast://user/{name}",
  name: "User",
  mimeType: "text/plain",
  arguments: [
    {
      name: "name",
      complete: async (value) => ({
        values: ["ann", "bob"].filter((name) => name.startsWith(value)),
      }),
    },
  ],
  load: async ({ name }) => ({ text: `user ${name}` }),
});
server.addPrompt({
  name: "commit",
  description: "Asks for a commit message",
  arguments: [{ name: "changes", required: true }],
  load: async ({ changes }) => `Write a commit message for ${changes}`,
});

const [port] = process.argv.slice(2);
await server.start(
  port === undefined
    ? { transportType: "stdio" }
    : {
        transportType: "httpStream",
        httpStream: { port: Number(port), host: "127.0.0.1", endpoint: "/mcp" },
      },
);
