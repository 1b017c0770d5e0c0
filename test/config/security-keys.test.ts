import { describe, expect, test } from "vitest";
import { readRateLimitRpm } from "../../src/config/rate-limit-variable.ts";
import { useConfigurationFolder } from "./support/configuration-folder.ts";

const { paths, load, problem } = useConfigurationFolder();

const withServer = (keys: object): object => ({ mcpServers: { a: { command: "x", ...keys } } });
const withTokens = (...tokens: object[]): object => ({
  auth: { type: "token", options: { tokens } },
});
const long = "0123456789abcdef";

/** What is doubted of a good file, with FILE in place of the file. */
async function doubtsOf(written: object, auth?: string): Promise<string[]> {
  const doubts: string[] = [];
  await load(written, { overrides: { auth }, onDoubt: (doubt) => doubts.push(doubt) });
  return doubts.map((doubt) => doubt.replace(paths.file, "FILE"));
}

describe("access of a server", () => {
  test("is for all, and hints count of programs alone, where nothing is written", async () => {
    const { servers } = await load({
      mcpServers: { here: { command: "x" }, there: { url: "https://x.example" } },
    });
    const open = { read: [], write: [], organizations: [] };
    expect(servers.get("here")?.access).toEqual({ ...open, trustHints: true });
    expect(servers.get("there")?.access).toEqual({ ...open, trustHints: false });
  });

  test("is taken over as written", async () => {
    const access = { read: ["get_*"], write: ["?rop"], organizations: ["acme", "b.c+d@e_f-1"] };
    const { servers } = await load({
      mcpServers: {
        here: { command: "x", access, trustHints: false },
        there: { url: "https://x.example", access: {}, trustHints: true },
      },
    });
    expect(servers.get("here")?.access).toEqual({ ...access, trustHints: false });
    expect(servers.get("there")?.access).toEqual({
      read: [],
      write: [],
      organizations: [],
      trustHints: true,
    });
  });

  test.each<[what: string, keys: object, message: string]>([
    ["no object", { access: [] }, "FILE:5: mcpServers.a.access: expected an object"],
    ["null", { access: null }, "FILE:5: mcpServers.a.access: expected an object"],
    [
      "a misspelt key",
      { access: { wirte: [] } },
      "FILE:6: mcpServers.a.access.wirte: unknown key; did you mean write?",
    ],
    [
      "a key of no likeness",
      { access: { zzzzzz: [] } },
      "FILE:6: mcpServers.a.access.zzzzzz: unknown key; known are read, write, organizations",
    ],
    [
      "trustHints inside",
      { access: { trustHints: true } },
      "FILE:6: mcpServers.a.access.trustHints: unknown key; known are read, write, organizations",
    ],
    [
      "a glob that is no list",
      { access: { read: "get_*" } },
      "FILE:6: mcpServers.a.access.read: expected a list of tool names",
    ],
    [
      "a glob that is no text",
      { access: { write: [1] } },
      "FILE:7: mcpServers.a.access.write[0]: expected a tool's name, with * and ? where it may vary",
    ],
    [
      "an empty glob",
      { access: { read: ["a", ""] } },
      "FILE:8: mcpServers.a.access.read[1]: must not be empty",
    ],
    [
      "a long glob",
      { access: { read: ["a".repeat(201)] } },
      "FILE:7: mcpServers.a.access.read[0]: must be at most 200 characters",
    ],
    [
      "no organisation",
      { access: { organizations: [] } },
      "FILE:6: mcpServers.a.access.organizations: name at least one, or leave it out",
    ],
    [
      "an organisation that is no list",
      { access: { organizations: "acme" } },
      "FILE:6: mcpServers.a.access.organizations: expected a list of ids of organisations",
    ],
    ...["", "Acme", "a b", "-a", "a-", "a/b", "*", "a\u0000b", "é", "a".repeat(101)].map(
      (id): [string, object, string] => [
        `an organisation ${JSON.stringify(id).slice(0, 20)}`,
        { access: { organizations: ["ok", id] } },
        "FILE:8: mcpServers.a.access.organizations[1]: is not the id of an organisation: lower-case letters, digits and . _ - + @ inside, at most 100",
      ],
    ),
    [
      "an organisation that is a number",
      { access: { organizations: [1] } },
      "FILE:7: mcpServers.a.access.organizations[0]: expected the id of an organisation",
    ],
    [
      "trustHints that is no flag",
      { trustHints: "yes" },
      "FILE:5: mcpServers.a.trustHints: expected true or false",
    ],
    [
      "a misspelt trustHints",
      { trustHint: true },
      "FILE:5: mcpServers.a.trustHint: unknown key; did you mean trustHints?",
    ],
  ])("%s is refused", async (_what, keys, message) => {
    await expect(problem(withServer(keys))).resolves.toEqual([message, undefined]);
  });

  test("a key twice is refused", async () => {
    const text =
      '{"mcpServers": {"a": {"command": "x", "access": {\n"read": ["a"],\n"read": ["b"]}}}}';
    await expect(problem(text)).resolves.toEqual([
      "FILE:3: mcpServers.a.access.read: stands here twice",
      undefined,
    ]);
  });

  test("an organisation may come from the environment, and is checked then", async () => {
    const { servers, writtenServers } = await load(
      withServer({ access: { organizations: ["${KEY}"] } }),
    );
    expect(servers.get("a")?.access.organizations).toEqual(["k-1"]);
    expect(writtenServers.get("a")).toEqual({
      command: "x",
      access: { organizations: ["${KEY}"] },
    });
    const [message] = await problem(withServer({ access: { organizations: ["${EMPTY}"] } }));
    expect(message).toContain("mcpServers.a.access.organizations[0]: is not the id");
  });

  test("a glob of both lists is doubted", async () => {
    const access = { read: ["get_*", "list"], write: ["list", "drop"] };
    await expect(doubtsOf(withServer({ access }))).resolves.toEqual([
      "FILE:8: mcpServers.a.access.read[1]: stands in write as well, and write wins: leave it out of one",
    ]);
    await expect(
      doubtsOf({ mcpServers: { a: { url: "https://x.example", access } } }),
    ).resolves.toHaveLength(1);
  });
});

describe("rateLimit", () => {
  test("is 60 a minute for all where nothing is written", async () => {
    const usual = { rpm: 60, roles: {}, tools: [] };
    for (const rateLimit of [undefined, {}, { roles: {}, tools: {} }]) {
      expect((await load({ rateLimit })).rateLimit).toEqual(usual);
    }
  });

  test("is taken over as written, its tools in their order", async () => {
    const rateLimit = {
      rpm: 0,
      roles: { viewer: 5, admin: 1_000_000 },
      tools: { "files__*": 3, "*": 100, files__read: 7 },
    };
    expect((await load({ rateLimit })).rateLimit).toEqual({
      rpm: 0,
      roles: { viewer: 5, admin: 1_000_000 },
      tools: [
        { pattern: "files__*", rpm: 3 },
        { pattern: "*", rpm: 100 },
        { pattern: "files__read", rpm: 7 },
      ],
    });
  });

  const between = "must be between 0 (no limit) and 1000000";
  const number = "expected a whole number of calls a minute";
  test.each<[what: string, rateLimit: unknown, message: string]>([
    ["a number", 60, "FILE:2: rateLimit: expected an object"],
    ["less than none", { rpm: -1 }, `FILE:3: rateLimit.rpm: ${between}`],
    ["too many", { rpm: 1_000_001 }, `FILE:3: rateLimit.rpm: ${between}`],
    ["half a call", { rpm: 1.5 }, `FILE:3: rateLimit.rpm: ${number}`],
    ["text", { rpm: "60" }, `FILE:3: rateLimit.rpm: ${number}`],
    ["null", { rpm: null }, `FILE:3: rateLimit.rpm: ${number}`],
    ["a misspelt key", { rmp: 5 }, "FILE:3: rateLimit.rmp: unknown key; did you mean rpm?"],
    [
      "an unknown role",
      { roles: { veiwer: 5 } },
      "FILE:4: rateLimit.roles.veiwer: unknown key; did you mean viewer?",
    ],
    [
      "a role of no likeness",
      { roles: { owner: 5 } },
      "FILE:4: rateLimit.roles.owner: unknown key; known are viewer, editor, admin",
    ],
    ["roles as a list", { roles: [] }, "FILE:3: rateLimit.roles: expected an object"],
    [
      "a role's limit below none",
      { roles: { editor: -5 } },
      `FILE:4: rateLimit.roles.editor: ${between}`,
    ],
    [
      "tools as a list",
      { tools: [] },
      "FILE:3: rateLimit.tools: expected an object of calls a minute",
    ],
    ["a tool's limit as text", { tools: { a: "5" } }, `FILE:4: rateLimit.tools.a: ${number}`],
    [
      "a tool's limit too high",
      { tools: { "*": 1e7 } },
      `FILE:4: rateLimit.tools["*"]: ${between}`,
    ],
    [
      "an empty pattern",
      { tools: { "": 5 } },
      'FILE:4: rateLimit.tools[""]: the name must not be empty',
    ],
    [
      "a long pattern",
      { tools: { ["a".repeat(201)]: 5 } },
      `FILE:4: rateLimit.tools.${"a".repeat(201)}: the name must be at most 200 characters`,
    ],
  ])("%s is refused", async (_what, rateLimit, message) => {
    await expect(problem({ rateLimit })).resolves.toEqual([message, undefined]);
  });

  test("gives way to the environment, but for its roles and tools", async () => {
    const rateLimit = { rpm: 5, roles: { viewer: 1 } };
    const loaded = await load({ rateLimit }, { overrides: { rateLimitRpm: 0 } });
    expect(loaded.rateLimit).toEqual({ rpm: 0, roles: { viewer: 1 }, tools: [] });
  });

  test.each(["0", "60", "1000000"])("ONEDOOR_RATE_LIMIT_RPM may be %s", (text) => {
    expect(readRateLimitRpm(text)).toBe(Number(text));
    expect(readRateLimitRpm(undefined)).toBeUndefined();
  });

  test.each([
    "-1",
    "1.5",
    "1e3",
    "abc",
    " 5",
    "1000001",
    "99999999999999999999",
    "0x10",
    "\u001b[",
  ])("ONEDOOR_RATE_LIMIT_RPM must not be %j", (text) => {
    expect(() => readRateLimitRpm(text)).toThrow(
      expect.objectContaining({
        code: "usage",
        message: `ONEDOOR_RATE_LIMIT_RPM must be a whole number from 0 (no limit) to 1000000, not ${JSON.stringify(text.trim())}`,
      }),
    );
  });
});

describe("audit", () => {
  test("keeps its rows for good where nothing is written", async () => {
    for (const audit of [undefined, {}]) {
      expect((await load({ audit })).auditRetentionDays).toBeUndefined();
    }
    await expect(load({ audit: { retentionDays: 90 } })).resolves.toHaveProperty(
      "auditRetentionDays",
      90,
    );
  });

  const between = "must be between 1 and 36500";
  const number = "expected a whole number of days";
  test.each<[what: string, audit: unknown, message: string]>([
    ["a number", 90, "FILE:2: audit: expected an object"],
    ["no days", { retentionDays: 0 }, `FILE:3: audit.retentionDays: ${between}`],
    ["too many days", { retentionDays: 36_501 }, `FILE:3: audit.retentionDays: ${between}`],
    ["half a day", { retentionDays: 0.5 }, `FILE:3: audit.retentionDays: ${number}`],
    ["text", { retentionDays: "90d" }, `FILE:3: audit.retentionDays: ${number}`],
    [
      "a misspelt key",
      { retentiondays: 5 },
      "FILE:3: audit.retentiondays: unknown key; did you mean retentionDays?",
    ],
  ])("%s is refused", async (_what, audit, message) => {
    await expect(problem({ audit })).resolves.toEqual([message, undefined]);
  });
});

describe("static tokens", () => {
  test("have a role and an organisation", async () => {
    const { auth } = await load(
      withTokens(
        { name: "a", token: `${long}1`, role: "viewer", organization: "acme" },
        { name: "b", token: `${long}2`, role: "editor" },
        { name: "c", token: `${long}3`, organization: "acme" },
      ),
    );
    expect(auth).toEqual([
      {
        type: "token",
        tokens: [
          { name: "a", token: `${long}1`, role: "viewer", organizationId: "acme" },
          { name: "b", token: `${long}2`, role: "editor", organizationId: null },
          { name: "c", token: `${long}3`, role: "admin", organizationId: "acme" },
        ],
      },
    ]);
  });

  test.each<[what: string, token: object, message: string]>([
    [
      "an unknown role",
      { role: "owner" },
      'FILE:9: auth.options.tokens[0].role: expected "viewer", "editor" or "admin"',
    ],
    [
      "a role in capitals",
      { role: "Viewer" },
      'FILE:9: auth.options.tokens[0].role: expected "viewer", "editor" or "admin"',
    ],
    [
      "no id of an organisation",
      { organization: "Acme Inc." },
      "FILE:9: auth.options.tokens[0].organization: is not the id of an organisation: lower-case letters, digits and . _ - + @ inside, at most 100",
    ],
    [
      "a list of organisations",
      { organization: ["acme"] },
      "FILE:9: auth.options.tokens[0].organization: expected the id of an organisation",
    ],
    [
      "a misspelt key",
      { organisation: "acme" },
      "FILE:9: auth.options.tokens[0].organisation: unknown key; did you mean organization?",
    ],
  ])("%s is refused", async (_what, token, message) => {
    const [text] = await problem(withTokens({ name: "a", token: long, ...token }));
    expect(text).toBe(message);
  });

  test("that are short are doubted, without being told, where they count", async () => {
    const written = withTokens({ name: "a", token: long.slice(1) }, { name: "b", token: long });
    await expect(doubtsOf(written)).resolves.toEqual([
      "FILE:8: auth.options.tokens[0].token: is shorter than 16 characters, so it could be guessed: take one of random characters: openssl rand -hex 32",
    ]);
    await expect(doubtsOf(written, "local")).resolves.toEqual([]);
    await expect(
      doubtsOf({ auth: { type: "token", options: { token: "short" } } }),
    ).resolves.toEqual([
      "FILE:5: auth.options.token: is shorter than 16 characters, so it could be guessed: take one of random characters: openssl rand -hex 32",
    ]);
  });
});
