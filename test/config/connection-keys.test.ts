import { describe, expect, test } from "vitest";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { paths, load, problem } = useConfigurationFolder();

describe("connections", () => {
  test("says how its servers are connected, when they rest, and how large a body may be", async () => {
    const { servers, maxBodyBytes } = await load({
      maxBodyBytes: 1024,
      mcpServers: {
        own: { command: "x", connection: "session", idleTimeout: 0.5 },
        common: { url: "https://x", connection: "shared" },
        old: { url: "https://x/sse", type: "sse", headers: { A: "b" } },
      },
    });
    expect(maxBodyBytes).toBe(1024);
    expect(servers.get("own")).toMatchObject({
      type: "stdio",
      connection: "session",
      connectionWritten: true,
      idleTimeoutMs: 500,
    });
    expect(servers.get("common")).toMatchObject({
      type: "http",
      connection: "shared",
      connectionWritten: true,
    });
    expect(servers.get("old")).toMatchObject({
      type: "sse",
      url: "https://x/sse",
      headers: { A: "b" },
      connection: "session",
      connectionWritten: false,
    });
  });

  test("a url that looks like an event stream, and does not say so, is doubted", async () => {
    const doubts: string[] = [];
    await load(
      {
        mcpServers: {
          old: { url: "https://x/sse?a=1" },
          slash: { url: "https://x/a/sse/" },
          said: { url: "https://x/sse", type: "sse" },
          meant: { url: "https://x/sse", type: "http" },
          off: { url: "https://x/sse", disabled: true },
          other: { url: "https://x/sse/mcp" },
          program: { command: "x" },
        },
      },
      { onDoubt: (sentence) => doubts.push(sentence) },
    );
    const rest =
      'url: ends in /sse; a server that speaks HTTP+SSE there needs "type": "sse": write that, or "type": "http"';
    expect(doubts.map((doubt) => doubt.replace(paths.file, "FILE"))).toEqual([
      `FILE:4: mcpServers.old.${rest}`,
      `FILE:7: mcpServers.slash.${rest}`,
    ]);
  });

  test.each<[what: string, file: object, message: string]>([
    ...["streamable-http", "streamableHttp", "streamable_http"].map(
      (type): [string, object, string] => [
        `${type}, as others call it`,
        { mcpServers: { a: { url: "https://x", type } } },
        'FILE:5: mcpServers.a.type: Streamable HTTP is called "http" here',
      ],
    ),
    [
      "an unknown type of server",
      { mcpServers: { a: { url: "https://x", type: "websocket" } } },
      'FILE:5: mcpServers.a.type: expected "stdio", "http" or "sse"',
    ],
    [
      "an event stream of a program",
      { mcpServers: { a: { command: "x", type: "sse" } } },
      'FILE:5: mcpServers.a.type: "sse" needs url, not command',
    ],
    [
      "an unknown connection",
      { mcpServers: { a: { command: "x", connection: "private" } } },
      'FILE:5: mcpServers.a.connection: expected "shared" or "session"',
    ],
    [
      "an idle time of 0",
      { mcpServers: { a: { command: "x", idleTimeout: 0 } } },
      "FILE:5: mcpServers.a.idleTimeout: must be more than 0 seconds",
    ],
    [
      "an idle time beyond a day",
      { mcpServers: { a: { command: "x", idleTimeout: 86_401 } } },
      "FILE:5: mcpServers.a.idleTimeout: must be at most 86400 seconds",
    ],
    [
      "an idle time of a URL",
      { mcpServers: { a: { url: "https://x", type: "sse", idleTimeout: 60 } } },
      "FILE:6: mcpServers.a.idleTimeout: belongs to a server with command",
    ],
    [
      "a body limit that fits nothing",
      { maxBodyBytes: 10 },
      "FILE:2: maxBodyBytes: must be at least 1024 bytes",
    ],
    [
      "a body limit beyond all memory",
      { maxBodyBytes: 1e12 },
      "FILE:2: maxBodyBytes: must be at most 268435456 bytes",
    ],
    [
      "a body limit with a unit",
      { maxBodyBytes: "4mb" },
      "FILE:2: maxBodyBytes: expected a whole number of bytes",
    ],
  ])("%s: line, key and reason", async (_what, file, message) => {
    await expect(problem(file)).resolves.toEqual([message, undefined]);
  });
});
