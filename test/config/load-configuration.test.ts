import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readEnvironment } from "../../src/config/environment.ts";
import { loadConfiguration } from "../../src/config/load-configuration.ts";
import type { LoadOptions } from "../../src/config/load-configuration.ts";
import type { AppError } from "../../src/core/errors.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-config-"));
  file = join(folder, "mcp.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

const variables = {
  PATH: "/bin",
  HOME: "/home/me",
  LANG: "C.UTF-8",
  LC_ALL: "C",
  TMPDIR: "/tmp",
  SHELL: "/bin/sh",
  KEY: "k-1",
  EMPTY: "",
  ONEDOOR_TOKEN: "secret",
};

function load(text: string | object | undefined, more: Partial<LoadOptions> = {}) {
  if (text !== undefined) {
    writeFileSync(file, typeof text === "string" ? text : JSON.stringify(text, null, 2), {
      mode: 0o600,
    });
  }
  return loadConfiguration({
    file,
    environment: readEnvironment(variables),
    overrides: {},
    ...more,
  });
}

/** The error's message without the file, and its hint. */
async function problem(
  text: string | object | undefined,
  more: Partial<LoadOptions> = {},
): Promise<[message: string, hint: string | undefined]> {
  const error = await load(text, more).then(
    () => Promise.reject(new Error("it was accepted")),
    (thrown: AppError) => thrown,
  );
  expect(error.code, error.stack).toBe("config_invalid");
  expect(error.message).not.toContain("\n");
  return [error.message.replace(file, "FILE"), error.hint];
}

describe("a good configuration", () => {
  test("is read with comments, trailing commas and a BOM, and completed with defaults", async () => {
    const configuration = await load(`\uFEFF// what I use
      {
        "$schema": "https://example.com/schema.json",
        "mcpServers": {
          "files": { "command": "node", "args": ["x.js", "\${KEY}"], "cwd": "sub", "env": {"A": "1"},
                     "inheritEnv": ["SHELL"], "tags": ["t"], "timeout": 1.5, "prefix": "" },
          "web": { "url": "https://example.com/mcp", "type": "http", "headers": {"X-Key": "\${KEY}"},
                   "disabled": true, "instructions": "Hello", }, /* the last */
        },
      }`);
    expect(configuration).toEqual({
      file,
      host: "127.0.0.1",
      port: 3050,
      allowedHosts: [],
      allowedOrigins: [],
      auth: [{ type: "local" }],
      servers: new Map([
        [
          "files",
          {
            name: "files",
            type: "stdio",
            command: "node",
            args: ["x.js", "k-1"],
            cwd: join(folder, "sub"),
            env: {
              PATH: "/bin",
              HOME: "/home/me",
              LANG: "C.UTF-8",
              LC_ALL: "C",
              TMPDIR: "/tmp",
              SHELL: "/bin/sh",
              A: "1",
            },
            tags: ["t"],
            disabled: false,
            prefix: "",
            timeoutMs: 1500,
          },
        ],
        [
          "web",
          {
            name: "web",
            type: "http",
            url: "https://example.com/mcp",
            headers: { "X-Key": "k-1" },
            tags: [],
            disabled: true,
            prefix: "web",
            timeoutMs: 120_000,
            instructions: "Hello",
          },
        ],
      ]),
    });
  });

  test("without --config is <config-dir>/mcp.json, and empty where that is not there", async () => {
    const options = {
      file: undefined,
      environment: readEnvironment({ ...variables, ONEDOOR_CONFIG_DIR: folder }),
    };
    await expect(load(undefined, options)).resolves.toEqual({
      host: "127.0.0.1",
      port: 3050,
      allowedHosts: [],
      allowedOrigins: [],
      auth: [{ type: "local" }],
      servers: new Map(),
    });
    await expect(load({ port: 1234 }, options)).resolves.toMatchObject({ file, port: 1234 });
    await expect(load(undefined, { file: undefined, configDir: folder })).resolves.toMatchObject({
      file,
      port: 1234,
    });
  });

  test("is overridden from the command line", async () => {
    const written = {
      host: "::1",
      port: 1,
      externalUrl: "https://a.example",
      auth: [{ type: "local" }, { type: "token", options: { token: "t" } }],
    };
    const overrides = {
      host: "localhost",
      port: 0,
      externalUrl: "https://b.example",
      auth: "token",
    };
    await expect(load(written, { overrides })).resolves.toMatchObject({
      host: "localhost",
      port: 0,
      externalUrl: "https://b.example",
      auth: [{ type: "token", tokens: [{ name: "token", token: "t", role: "admin" }] }],
    });
  });

  test("may be a symbolic link", async () => {
    writeFileSync(join(folder, "real.json"), '{"port": 5}', { mode: 0o600 });
    symlinkSync(join(folder, "real.json"), file);
    await expect(load(undefined)).resolves.toMatchObject({ port: 5 });
  });
});

describe("variables", () => {
  test.each([
    ["${KEY}", "k-1"],
    ["a ${KEY} b ${KEY}", "a k-1 b k-1"],
    ["${NOT_SET:-fallback}", "fallback"],
    ["${EMPTY:-fallback}", "fallback"],
    ["${EMPTY}", ""],
    ["${NOT_SET:-}", ""],
    ["${KEY:-fallback}", "k-1"],
    ["$KEY ${} ${KEY%x} ${env:KEY}", "$KEY ${} ${KEY%x} ${env:KEY}"],
    ["${NOT_SET:-${KEY}}", "${KEY}"],
  ])("%s becomes %j", async (written, filled) => {
    const { servers } = await load({ mcpServers: { a: { command: "x", args: [written] } } });
    expect(servers.get("a")).toMatchObject({ args: [filled] });
  });

  test("are not filled in keys, and not twice", async () => {
    const environment = readEnvironment({ A: "${B}", B: "b" });
    const { servers } = await load(
      { mcpServers: { "${A}": { command: "x", args: ["${A}"] } } },
      { environment },
    );
    expect(servers.get("${A}")).toMatchObject({ args: ["${B}"] });
  });

  test("that are missing are named with the key", async () => {
    await expect(
      problem('{\n  "mcpServers": {\n    "a": {\n      "url": "${NOT_SET}"\n    }\n  }\n}'),
    ).resolves.toEqual([
      "FILE:4: mcpServers.a.url: the environment variable NOT_SET is not set",
      "set NOT_SET, or write ${NOT_SET:-default}",
    ]);
  });

  test("of ours never reach a server, whatever the file says", async () => {
    const { servers } = await load({ mcpServers: { a: { command: "x" } } });
    expect(JSON.stringify([...servers.values()])).not.toContain("secret");
    await expect(
      problem({ mcpServers: { a: { command: "x", inheritEnv: ["ONEDOOR_TOKEN"] } } }),
    ).resolves.toEqual([
      "FILE:6: mcpServers.a.inheritEnv[0]: ONEDOOR_ variables are never handed to a server",
      undefined,
    ]);
    await expect(
      problem({ mcpServers: { a: { command: "x", env: { onedoor_x: "1" } } } }),
    ).resolves.toEqual([
      "FILE:6: mcpServers.a.env.onedoor_x: ONEDOOR_ variables are never handed to a server",
      undefined,
    ]);
  });
});

describe("a wrong file", () => {
  test.each<[what: string, text: string | object, message: string, hint?: string]>([
    ["empty", "", "FILE:1: the file is empty"],
    ["broken", '{\n  "port": 1,\n  "host" "x"\n}', "FILE:3: not valid JSON: colon expected"],
    ["cut off", '{\n  "port": 1', "FILE:2: not valid JSON: close brace expected"],
    ["a list", "[]", "FILE:1: expected an object"],
    ["text after the end", "{}\n{}", "FILE:2: not valid JSON: end of file expected"],
    ["nested without end", "[".repeat(200_000), "FILE: nested too deeply"],
    ["a key twice", '{\n"port": 1,\n"port": 2}', "FILE:3: port: stands here twice"],
    [
      "__proto__",
      '{"mcpServers": {"__proto__": {}}}',
      "FILE:1: mcpServers.__proto__: this name cannot be used",
    ],
    ["an unknown key", { prot: 1 }, "FILE:2: prot: unknown key; did you mean port?"],
    [
      "an unknown key of a server",
      { mcpServers: { "my server": { command: "x", dissabled: true } } },
      'FILE:5: mcpServers["my server"].dissabled: unknown key; did you mean disabled?',
    ],
    [
      "a later key",
      { mcpServers: { a: { command: "x", access: { read: ["*"] } } } },
      "FILE:5: mcpServers.a.access: not supported yet",
    ],
    ["a later key at the top", { rateLimit: { rpm: 0 } }, "FILE:2: rateLimit: not supported yet"],
    [
      "a later type of server",
      { mcpServers: { a: { url: "https://x", type: "sse" } } },
      "FILE:5: mcpServers.a.type: not supported yet",
    ],
    ["a later type of auth", { auth: { type: "jwt" } }, "FILE:3: auth.type: not supported yet"],
    [
      "a later type of auth in a list",
      { auth: [{ type: "oauth" }] },
      "FILE:4: auth[0].type: not supported yet",
    ],
    [
      "an unknown type of auth",
      { auth: [{ type: "magic" }] },
      'FILE:4: auth[0].type: expected "local", "token" or "none"',
    ],
    ["no auth at all", { auth: [] }, "FILE:2: auth: must name at least one way"],
    ["a wrong port", { port: 70_000 }, "FILE:2: port: must be between 0 and 65535"],
    ["a port as text", { port: "80" }, "FILE:2: port: expected a port number"],
    [
      "a server without a way",
      { mcpServers: { a: {} } },
      "FILE:3: mcpServers.a: needs command (a program to start) or url (a Streamable HTTP server)",
    ],
    [
      "a server with two ways",
      { mcpServers: { a: { command: "x", url: "https://x" } } },
      "FILE:5: mcpServers.a.url: stands beside command; a server has one of them",
    ],
    [
      "headers of a program",
      { mcpServers: { a: { command: "x", headers: {} } } },
      "FILE:5: mcpServers.a.headers: belongs to a server with url",
    ],
    [
      "arguments of a URL",
      { mcpServers: { a: { url: "https://x", args: [] } } },
      "FILE:5: mcpServers.a.args: belongs to a server with command",
    ],
    [
      "a wrong type",
      { mcpServers: { a: { url: "https://x", type: "stdio" } } },
      'FILE:5: mcpServers.a.type: "stdio" needs command, not url',
    ],
    [
      "no URL",
      { mcpServers: { a: { url: "example.com" } } },
      "FILE:4: mcpServers.a.url: is not a URL",
    ],
    [
      "another scheme",
      { mcpServers: { a: { url: "file:///x" } } },
      "FILE:4: mcpServers.a.url: must begin with http:// or https://",
    ],
    [
      "a password in a URL",
      { mcpServers: { a: { url: "https://u:p@x" } } },
      "FILE:4: mcpServers.a.url: must not hold a user name or password",
      "put them into headers",
    ],
    [
      "a line break in a header",
      { mcpServers: { a: { url: "https://x", headers: { A: "b\r\nC: d" } } } },
      "FILE:6: mcpServers.a.headers.A: the value holds characters that a header cannot carry",
    ],
    [
      "a wrong header name",
      { mcpServers: { a: { url: "https://x", headers: { "A b": "c" } } } },
      'FILE:6: mcpServers.a.headers["A b"]: is not a valid header name',
    ],
    [
      "a number in env",
      { mcpServers: { a: { command: "x", env: { A: 1 } } } },
      "FILE:6: mcpServers.a.env.A: expected a string",
    ],
    [
      "a timeout of 0",
      { mcpServers: { a: { command: "x", timeout: 0 } } },
      "FILE:5: mcpServers.a.timeout: must be more than 0 seconds",
    ],
    [
      "a / in a name",
      { mcpServers: { "a/b": { command: "x" } } },
      'FILE:3: mcpServers["a/b"]: a server\'s name must not hold a /',
    ],
    [
      "an empty name",
      { mcpServers: { "": { command: "x" } } },
      'FILE:3: mcpServers[""]: the server\'s name must not be empty',
    ],
    [
      "a long name",
      { mcpServers: { [`a${"b".repeat(64)}`]: { command: "x" } } },
      `FILE:3: mcpServers.a${"b".repeat(64)}: a server's name has at most 64 characters`,
    ],
    [
      "a control character in a name",
      { mcpServers: { "a\u001b[2J": { command: "x" } } },
      'FILE:3: mcpServers["a\\u001b[2J"]: a server\'s name must not hold control or invisible characters',
    ],
    [
      "a wrong origin",
      { allowedOrigins: ["*"] },
      "FILE:3: allowedOrigins[0]: is not an origin: scheme and host, as in https://app.example.com",
    ],
    [
      "a wrong host",
      { allowedHosts: ["https://x"] },
      "FILE:3: allowedHosts[0]: is not a host name, with or without a port",
    ],
  ])("%s: line, key and reason", async (_what, text, message, hint) => {
    await expect(problem(text)).resolves.toEqual([message, hint]);
  });

  test("with several problems tells the first and how many more", async () => {
    await expect(
      problem('{\n "prot": 1,\n "hots": 2,\n "mcpServers": {"a": {"command": 5}}\n}'),
    ).resolves.toEqual([
      "FILE:2: prot: unknown key; did you mean port?",
      "2 more problems in this file",
    ]);
  });

  test("that is not there, is no file, too large or not text is refused", async () => {
    await expect(problem(undefined)).resolves.toEqual(["FILE: there is no such file", undefined]);
    await expect(problem(`{}${" ".repeat(1024 * 1024)}`)).resolves.toEqual([
      "FILE: is larger than 1 MiB",
      undefined,
    ]);
    writeFileSync(file, Buffer.from([0x7b, 0xff, 0x7d]));
    await expect(problem(undefined)).resolves.toEqual(["FILE: is not UTF-8 text", undefined]);
    rmSync(file);
    mkdirSync(file);
    await expect(problem(undefined)).resolves.toEqual(["FILE: is not a regular file", undefined]);
  });

  test.each([0o620, 0o602, 0o666])("of mode %o is refused: others may write it", async (mode) => {
    writeFileSync(file, "{}");
    chmodSync(file, mode);
    await expect(problem(undefined)).resolves.toEqual([
      `FILE: group or others may write it (mode 0${mode.toString(8)}), so they could choose what the gateway runs`,
      "chmod go-w on the file",
    ]);
  });
});

describe("auth", () => {
  const tokens = [
    { name: "ci", token: "t1", role: "viewer" },
    { name: "me", token: "t2" },
  ];

  test("static tokens have a role, admin by default", async () => {
    await expect(load({ auth: { type: "token", options: { tokens } } })).resolves.toMatchObject({
      auth: [
        {
          type: "token",
          tokens: [
            { name: "ci", token: "t1", role: "viewer" },
            { name: "me", token: "t2", role: "admin" },
          ],
        },
      ],
    });
  });

  test.each<[what: string, auth: unknown, message: string]>([
    [
      "token without tokens",
      { type: "token" },
      "FILE:2: auth: type token needs options with token or tokens",
    ],
    [
      "token with empty options",
      { type: "token", options: {} },
      "FILE:4: auth.options: type token needs options with token or tokens",
    ],
    [
      "both forms",
      { type: "token", options: { token: "a", tokens } },
      "FILE:4: auth.options: has both token and tokens; write one of them",
    ],
    [
      "an empty token",
      { type: "token", options: { token: "" } },
      "FILE:5: auth.options.token: must not be empty",
    ],
    [
      "a token with a space",
      { type: "token", options: { token: "a b" } },
      "FILE:5: auth.options.token: holds characters that a header cannot carry, or spaces",
    ],
    [
      "a token that looks minted",
      { type: "token", options: { token: "od_x" } },
      "FILE:5: auth.options.token: must not begin with od_, which marks the gateway's own tokens",
    ],
    [
      "an unknown option",
      { type: "token", options: { tokn: "a" } },
      "FILE:5: auth.options.tokn: unknown key; did you mean token?",
    ],
    [
      "a wrong role",
      { type: "token", options: { tokens: [{ name: "a", token: "b", role: "god" }] } },
      'FILE:9: auth.options.tokens[0].role: expected "viewer", "editor" or "admin"',
    ],
    [
      "a token without a name",
      { type: "token", options: { tokens: [{ token: "b" }] } },
      "FILE:6: auth.options.tokens[0].name: is missing (expected a string)",
    ],
    [
      "one token twice",
      { type: "token", options: { tokens: [tokens[0], { name: "x", token: "t1" }] } },
      "FILE:13: auth.options.tokens[1].token: is the same token as an earlier one",
    ],
    [
      "options of local",
      { type: "local", options: { token: "a" } },
      'FILE:4: auth.options: "local" has no options',
    ],
    [
      "one type twice",
      [{ type: "local" }, { type: "local" }],
      'FILE:7: auth[1].type: "local" stands in the list twice',
    ],
    [
      "none beside another",
      [{ type: "local" }, { type: "none" }],
      'FILE:2: auth: "none" stands alone: it lets everybody in',
    ],
  ])("%s is refused", async (_what, auth, message) => {
    const [text] = await problem({ auth } as object);
    expect(text).toBe(message);
  });

  test("a token never stands in a message", async () => {
    const [text] = await problem({ auth: { type: "token", options: { token: "my secret" } } });
    expect(text).not.toContain("secret");
  });

  test("--auth none and local replace the list; others are refused", async () => {
    await expect(load({}, { overrides: { auth: "none" } })).resolves.toMatchObject({
      auth: [{ type: "none" }],
    });
    await expect(problem({}, { overrides: { auth: "token" } })).resolves.toContain(
      "--auth token: the configuration names no tokens",
    );
    await expect(problem({}, { overrides: { auth: "magic" } })).resolves.toContain(
      '--auth: "magic" is not a type to choose',
    );
  });
});

describe("listening beyond loopback", () => {
  test.each<[file: object, overrides: LoadOptions["overrides"], message: string]>([
    [
      { host: "0.0.0.0" },
      {},
      "FILE:2: host: 0.0.0.0 is reachable from other machines, which needs an https externalUrl",
    ],
    [
      { host: "192.168.1.5", externalUrl: "http://gate.example" },
      {},
      "FILE:2: host: 192.168.1.5 is reachable from other machines, which needs an https externalUrl",
    ],
    [
      {},
      { host: "::" },
      "--host: :: is reachable from other machines, which needs an https externalUrl",
    ],
    [
      { externalUrl: "http://gate.example" },
      {},
      "FILE:2: externalUrl: must begin with https://, or tokens would cross the network in the clear",
    ],
    [{ externalUrl: "gate.example" }, {}, "FILE:2: externalUrl: is not a URL"],
    [
      { externalUrl: "https://u@gate.example" },
      {},
      "FILE:2: externalUrl: must hold no user name, query or fragment",
    ],
    [
      { auth: { type: "none" }, externalUrl: "https://gate.example" },
      {},
      'FILE:2: auth: "none" cannot stand beside externalUrl',
    ],
    [
      { host: "0.0.0.0", auth: { type: "none" } },
      { insecureHttp: true },
      'FILE:3: auth: "none" is only for a loopback host',
    ],
    [
      { host: "0.0.0.0", externalUrl: "https://x.example" },
      { auth: "none" },
      '--auth: "none" is only for a loopback host',
    ],
  ])("%j with %j is refused", async (written, overrides, message) => {
    const [text] = await problem(written, { overrides });
    expect(text).toBe(message);
  });

  test.each<[file: object, overrides: LoadOptions["overrides"]]>([
    [{ host: "0.0.0.0", externalUrl: "https://gate.example/prefix" }, {}],
    [{ host: "0.0.0.0" }, { insecureHttp: true }],
    [{ host: "127.0.0.9" }, {}],
    [{ externalUrl: "http://localhost:8080" }, {}],
    [{ auth: { type: "none" } }, {}],
  ])("%j with %j is accepted", async (written, overrides) => {
    await expect(load(written, { overrides })).resolves.toBeDefined();
  });
});
