import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readEnvironment } from "../../src/config/environment.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { paths, variables, load, problem } = useConfigurationFolder();

/** Tools without a word about them in the file. */
const asTheServerHasThem = { tools: { allow: [], deny: [], descriptions: {} }, pin: "off" };

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
      file: paths.file,
      host: "127.0.0.1",
      port: 3050,
      allowedHosts: [],
      allowedOrigins: [],
      trustedProxies: [],
      allowQueryToken: false,
      maxBodyBytes: 4_194_304,
      auth: [{ type: "local" }],
      servers: new Map([
        [
          "files",
          {
            name: "files",
            type: "stdio",
            command: "node",
            args: ["x.js", "k-1"],
            cwd: join(paths.folder, "sub"),
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
            connection: "shared",
            connectionWritten: false,
            access: { read: [], write: [], organizations: [], trustHints: true },
            ...asTheServerHasThem,
          },
        ],
        [
          "web",
          {
            name: "web",
            type: "http",
            url: "https://example.com/mcp",
            headers: { "X-Key": "k-1" },
            forwardIdentity: false,
            tags: [],
            disabled: true,
            prefix: "web",
            timeoutMs: 120_000,
            connection: "session",
            connectionWritten: false,
            instructions: "Hello",
            access: { read: [], write: [], organizations: [], trustHints: false },
            ...asTheServerHasThem,
          },
        ],
      ]),
      presets: new Map(),
      writtenServers: new Map<string, JsonObject>([
        [
          "files",
          {
            command: "node",
            args: ["x.js", "${KEY}"],
            cwd: "sub",
            env: { A: "1" },
            inheritEnv: ["SHELL"],
            tags: ["t"],
            timeout: 1.5,
            prefix: "",
          },
        ],
        [
          "web",
          {
            url: "https://example.com/mcp",
            type: "http",
            headers: { "X-Key": "${KEY}" },
            disabled: true,
            instructions: "Hello",
          },
        ],
      ]),
      rateLimit: { rpm: 60, roles: {}, tools: [] },
    });
  });

  test("without --config is <config-dir>/mcp.json, and empty where that is not there", async () => {
    const options = {
      file: undefined,
      environment: readEnvironment({ ...variables, ONEDOOR_CONFIG_DIR: paths.folder }),
    };
    await expect(load(undefined, options)).resolves.toEqual({
      host: "127.0.0.1",
      port: 3050,
      allowedHosts: [],
      allowedOrigins: [],
      trustedProxies: [],
      allowQueryToken: false,
      maxBodyBytes: 4_194_304,
      auth: [{ type: "local" }],
      servers: new Map(),
      presets: new Map(),
      writtenServers: new Map(),
      rateLimit: { rpm: 60, roles: {}, tools: [] },
    });
    await expect(load({ port: 1234 }, options)).resolves.toMatchObject({
      file: paths.file,
      port: 1234,
    });
    await expect(
      load(undefined, { file: undefined, configDir: paths.folder }),
    ).resolves.toMatchObject({
      file: paths.file,
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
    writeFileSync(join(paths.folder, "real.json"), '{"port": 5}', { mode: 0o600 });
    symlinkSync(join(paths.folder, "real.json"), paths.file);
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
    ["a later key", { storage: {} }, "FILE:2: storage: not supported yet"],
    [
      "an unknown type of auth",
      { auth: [{ type: "magic" }] },
      'FILE:4: auth[0].type: expected "local", "token", "simple", "bearer", "jwt", "oauth" or "none"',
    ],
    [
      "auth without a type",
      { auth: { options: {} } },
      'FILE:2: auth.type: is missing (expected "local", "token", "simple", "bearer", "jwt", "oauth" or "none")',
    ],
    ["auth as a number", { auth: 1 }, "FILE:2: auth: expected an entry or a list of them"],
    [
      "a misspelt key of auth",
      { auth: { type: "local", option: {} } },
      "FILE:4: auth.option: unknown key; did you mean options?",
    ],
    ["no auth at all", { auth: [] }, "FILE:2: auth: must name at least one way"],
    ["a wrong port", { port: 70_000 }, "FILE:2: port: must be between 0 and 65535"],
    ["a port as text", { port: "80" }, "FILE:2: port: expected a port number"],
    [
      "a server without a way",
      { mcpServers: { a: {} } },
      "FILE:3: mcpServers.a: needs command (a program to start) or url (a server that runs elsewhere)",
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
    await expect(problem(undefined)).resolves.toEqual([
      "FILE: there is no such file",
      expect.stringContaining("mcp.json"),
    ]);
    await expect(problem(`{}${" ".repeat(1024 * 1024)}`)).resolves.toEqual([
      "FILE: is larger than 1 MiB",
      undefined,
    ]);
    writeFileSync(paths.file, Buffer.from([0x7b, 0xff, 0x7d]));
    await expect(problem(undefined)).resolves.toEqual(["FILE: is not UTF-8 text", undefined]);
    rmSync(paths.file);
    mkdirSync(paths.file);
    await expect(problem(undefined)).resolves.toEqual(["FILE: is not a regular file", undefined]);
  });

  test.each([0o620, 0o602, 0o666])("of mode %o is refused: others may write it", async (mode) => {
    writeFileSync(paths.file, "{}");
    chmodSync(paths.file, mode);
    await expect(problem(undefined)).resolves.toEqual([
      `FILE: group or others may write it (mode 0${mode.toString(8)}), so they could choose what the gateway runs`,
      "chmod go-w on the file",
    ]);
  });
});
