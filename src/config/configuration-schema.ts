import * as z from "zod";
import { auth } from "./auth-schema.ts";
import { access, audit, rateLimit, securityKeys } from "./security-schema.ts";
import { trustedProxy } from "./trusted-proxy.ts";

/**
 * The configuration file as it is written (contract §4 "Configuration"), before defaults. Keys are
 * strict, so that a misspelt `disabled` is never silently ignored. The descriptions become the JSON
 * Schema that editors read.
 */

/** Keys the contract names that this version does not build. Ignoring an access rule would be worse than refusing it. */
export const notYetSupported: Readonly<Record<"top" | "server", ReadonlySet<string>>> = {
  top: new Set(["storage"]),
  server: new Set(),
};

/** The longest call a configuration may allow, in seconds. */
const longestTimeoutSeconds = 24 * 60 * 60;
/** A body is held in memory while it is read; below this not even `initialize` would fit for sure. */
const largestBodyBytes = 256 * 1024 * 1024;
const smallestBodyBytes = 1024;

const text = z.string({ error: "expected a string" });
const word = text.min(1, { error: "must not be empty" });
const texts = z.array(text, { error: "expected a list of strings" });
const words = z.array(word, { error: "expected a list of strings" });

/** What other programs call the transport: `streamable-http`, `streamableHttp`. */
function isStreamableHttp(type: unknown): boolean {
  return typeof type === "string" && /^streamable[\W_]?(?:http)?$/iu.test(type);
}

const tools = z
  .strictObject(
    {
      allow: words
        .optional()
        .describe("Offers these tools only; own names, with `*` and `?`. Default: all."),
      deny: words
        .optional()
        .describe("Offers these tools to nobody; own names, with `*` and `?`. Wins over `allow`."),
      descriptions: z
        .record(word, text, { error: "expected an object of strings" })
        .optional()
        .describe("What to say of a tool in place of its own description, by its own name."),
    },
    { error: "expected an object" },
  )
  .describe("Which of the server's tools are offered, and how they are described.");

const preset = z
  .strictObject(
    {
      servers: words.optional().describe("One of these servers."),
      tags: words.optional().describe("Servers with one of these tags."),
      filter: word
        .optional()
        .describe('A boolean expression of tags: `web and not ("beta" or slow)`.'),
    },
    { error: "expected an object" },
  )
  .describe("A choice of servers: those of which everything holds that it says.");

const server = z
  .strictObject(
    {
      type: z
        .enum(["stdio", "http", "sse"], {
          error: ({ input }) =>
            isStreamableHttp(input)
              ? 'Streamable HTTP is called "http" here'
              : 'expected "stdio", "http" or "sse"',
        })
        .optional()
        .describe(
          "How to reach the server. Left out: `stdio` with `command`, `http` with `url` (Streamable HTTP). `sse` with `url`: the older HTTP+SSE transport.",
        ),
      command: word
        .optional()
        .describe("The program to start; it speaks MCP on its standard input and output."),
      args: texts.optional().describe("Arguments of the program."),
      cwd: word
        .optional()
        .describe(
          "Working directory of the program; a relative path starts at the configuration file.",
        ),
      env: z
        .record(word, text, { error: "expected an object of strings" })
        .optional()
        .describe("Environment variables of the program, beside the inherited ones."),
      inheritEnv: words
        .optional()
        .describe(
          "Names of further environment variables the program inherits, beside PATH, HOME, locale and TMPDIR.",
        ),
      url: word
        .optional()
        .describe("Address of a Streamable HTTP server, or with `sse` of an event stream."),
      headers: z
        .record(word, text, { error: "expected an object of strings" })
        .optional()
        .describe("HTTP headers sent with each request; they never leave the origin of `url`."),
      forwardIdentity: z
        .boolean({ error: "expected true or false" })
        .optional()
        .describe(
          "Whether each request carries a short-lived token, signed by the gateway, that says for whom it is made. Default: false.",
        ),
      tags: words.optional().describe("Words to group servers by."),
      disabled: z
        .boolean({ error: "expected true or false" })
        .optional()
        .describe("Keeps the entry without connecting to the server."),
      prefix: text
        .max(64, { error: "must be at most 64 characters" })
        .optional()
        .describe(
          "What stands before `__` in the names that MCP clients see. Default: the server's name; empty: the tools keep their own names.",
        ),
      timeout: z
        .number({ error: "expected a number of seconds" })
        .positive({ error: "must be more than 0 seconds" })
        .max(longestTimeoutSeconds, { error: "must be at most 86400 seconds" })
        .optional()
        .describe(
          "Limit of one tool call in seconds, started again by each progress notification. Default: 120.",
        ),
      connection: z
        .enum(["shared", "session"], { error: 'expected "shared" or "session"' })
        .optional()
        .describe(
          "`shared`: one connection for all clients, over which the server can ask no client anything. `session`: a client that can be asked (sampling, elicitation, roots) gets a connection of its own; of a stdio server, a process of its own. Default: `shared` with `command`, `session` with `url`.",
        ),
      idleTimeout: z
        .number({ error: "expected a number of seconds" })
        .positive({ error: "must be more than 0 seconds" })
        .max(longestTimeoutSeconds, { error: "must be at most 86400 seconds" })
        .optional()
        .describe(
          "Stops the program after so many seconds without a request; the next request starts it again. Default: it keeps running.",
        ),
      access: access.optional(),
      trustHints: z
        .boolean({ error: "expected true or false" })
        .optional()
        .describe(
          "Whether a tool that the server marks as only reading (`readOnlyHint`) counts as one. Default: true with `command`, false with `url`.",
        ),
      tools: tools.optional(),
      pin: z
        .enum(["off", "warn", "block"], { error: 'expected "off", "warn" or "block"' })
        .optional()
        .describe(
          "What happens when a tool, or the server's instructions, are not what they were: `warn` says so until it is approved (`agent mcp approve`), `block` withholds them until then. A tool that only read and now changes things is always withheld. Default: `off`.",
        ),
      instructions: text
        .optional()
        .describe("What to tell AI agents about this server, in place of its own instructions."),
    },
    { error: "expected an object" },
  )
  .describe("One upstream MCP server, written as every MCP client writes it.");

const tls = z
  .strictObject(
    {
      cert: word.describe(
        "PEM file of the certificate and those that lead to its root; a relative path starts at the configuration file.",
      ),
      key: word.describe("PEM file of its private key, without a passphrase."),
    },
    { error: "expected an object" },
  )
  .describe(
    "Serves https itself, so that no proxy is needed. Renewed files are taken over without a restart.",
  );

export const configurationSchema = z
  .strictObject(
    {
      $schema: text.optional().describe("Where editors find the JSON Schema of this file."),
      mcpServers: z
        .record(text, server, { error: "expected an object of servers" })
        .optional()
        .describe("The upstream servers by name. A name holds no `/`."),
      host: word.optional().describe("Address to listen on. Default: 127.0.0.1."),
      port: z
        .int({ error: "expected a port number" })
        .min(0, { error: "must be between 0 and 65535" })
        .max(65_535, { error: "must be between 0 and 65535" })
        .optional()
        .describe("Port to listen on; 0 picks a free one. Default: 3050."),
      externalUrl: word
        .optional()
        .describe(
          "The https URL under which clients reach this gateway: its own with `tls`, or that of a proxy in front.",
        ),
      allowedHosts: words
        .optional()
        .describe("Further names accepted in the Host header, beside loopback and `externalUrl`."),
      allowedOrigins: words
        .optional()
        .describe("Further web origins that may call, beside loopback and `externalUrl`."),
      maxBodyBytes: z
        .int({ error: "expected a whole number of bytes" })
        .min(smallestBodyBytes, { error: "must be at least 1024 bytes" })
        .max(largestBodyBytes, { error: "must be at most 268435456 bytes" })
        .optional()
        .describe(
          "The largest body of a request; a larger one is answered with 413. Default: 4194304 (4 MiB).",
        ),
      trustedProxies: z
        .array(trustedProxy, { error: "expected a list of addresses and networks" })
        .optional()
        .describe(
          "Addresses and networks (CIDR) of the proxies in front, whose `X-Forwarded-For` and `Forwarded` are believed. Default: none.",
        ),
      allowQueryToken: z
        .boolean({ error: "expected true or false" })
        .optional()
        .describe(
          "Whether `?token=` is taken on every protected path; URLs end up in logs and histories. Default: false, which takes it on `/sse` and `/message` alone.",
        ),
      tls: tls.optional(),
      auth: auth.optional(),
      rateLimit: rateLimit.optional(),
      audit: audit.optional(),
      presets: z
        .record(word, preset, { error: "expected an object of presets" })
        .optional()
        .describe(
          "Choices of servers by name, for `?preset=` and `--preset`. They narrow what somebody sees, and grant nothing.",
        ),
    },
    { error: "expected an object" },
  )
  .describe("Configuration of the OneDoor gateway.");

export type WrittenConfiguration = z.infer<typeof configurationSchema>;
export type WrittenServer = z.infer<typeof server>;

/** The known keys at a place of the file, for "did you mean". */
export const knownKeys = {
  top: Object.keys(configurationSchema.shape),
  server: Object.keys(server.shape),
  tls: Object.keys(tls.shape),
  tools: Object.keys(tools.shape),
  preset: Object.keys(preset.shape),
  ...securityKeys,
} as const;

/** JSON Schema (2020-12) of the configuration file, with a description for every key. */
export function configurationJsonSchema(): object {
  return z.toJSONSchema(configurationSchema, { io: "input" });
}
