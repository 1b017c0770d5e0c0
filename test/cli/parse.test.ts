import { describe, expect, it } from "vitest";
import type { CommandEntry, CommandModule } from "../../src/cli/command.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";

const plain: CommandModule = {
  talksToServer: false,
  options: {
    config: { type: "string", alias: "f", describe: "", env: "ONEDOOR_CONFIG" },
    store: { type: "string", choices: ["keychain", "file"], describe: "", env: "ONEDOOR_STORE" },
    port: { type: "number", describe: "", env: "ONEDOOR_PORT" },
    dryRun: { type: "boolean", describe: "" },
    noVerify: { type: "boolean", describe: "" },
    tag: { type: "array", describe: "" },
    way: { type: "string", onlyOne: "Write one", describe: "" },
    limit: { type: "number", default: 100, describe: "" },
  },
  positionals: [{ name: "shell", describe: "", choices: ["bash", "zsh"] }],
  examples: [],
  run: () => Promise.resolve(),
};
const calling: CommandModule = {
  talksToServer: true,
  options: {},
  positionals: [
    { name: "target", describe: "", required: true },
    { name: "pairs", describe: "", variadic: true },
  ],
  examples: [],
  run: () => Promise.resolve(),
};

const loaded: string[] = [];
function entry(path: string, module: CommandModule): CommandEntry {
  return {
    path: path.split(" "),
    summary: "",
    load: () => {
      loaded.push(path);
      return Promise.resolve(module);
    },
  };
}
const table = [entry("plain", plain), entry("group call", calling), entry("group plain", plain)];

async function optionsOf(
  words: readonly string[],
  variables: Record<string, string> = {},
): Promise<object> {
  const invocation = await parseCommandLine(words, table, variables);
  if (invocation.kind !== "run") throw new Error(`it is ${invocation.kind}`);
  return invocation.options;
}

function refusal(
  words: readonly string[],
  variables: Record<string, string> = {},
): Promise<unknown> {
  return parseCommandLine(words, table, variables).then(
    () => "was not refused",
    (error: unknown) => error,
  );
}

const commonDefaults = {
  configDir: undefined,
  format: "text",
  json: false,
  quiet: false,
  debug: false,
  timeoutMs: undefined,
};
const plainDefaults = {
  ...commonDefaults,
  config: undefined,
  store: undefined,
  port: undefined,
  dryRun: false,
  noVerify: false,
  tag: [],
  way: undefined,
  limit: 100,
  shell: undefined,
};
const callingDefaults = {
  ...commonDefaults,
  url: undefined,
  profile: undefined,
  token: undefined,
  insecureHttp: false,
  cacert: undefined,
  insecure: false,
};

describe("the options object", () => {
  it("has every option of the command when none is given", async () => {
    expect(await optionsOf(["plain"])).toEqual(plainDefaults);
  });

  it("takes every kind of option, long and short, wherever it stands", async () => {
    expect(
      await optionsOf([
        "--config-dir=/x",
        "plain",
        "-f",
        "a.json",
        "--store",
        "file",
        "--port=0",
        "--dry-run",
        "--no-verify",
        "--tag",
        "a",
        "--tag",
        "b",
        "-q",
        "--timeout",
        "1.5",
        "bash",
        "--json",
        "--debug",
      ]),
    ).toEqual({
      ...plainDefaults,
      configDir: "/x",
      config: "a.json",
      store: "file",
      port: 0,
      dryRun: true,
      noVerify: true,
      tag: ["a", "b"],
      quiet: true,
      timeoutMs: 1500,
      shell: "bash",
      format: "json",
      json: true,
      debug: true,
    });
  });

  it("takes the last one of an option that is given twice", async () => {
    expect(await optionsOf(["plain", "-f", "a", "--config", "b"])).toEqual({
      ...plainDefaults,
      config: "b",
    });
  });

  it("refuses a second value of an option that has only one", async () => {
    expect(await optionsOf(["plain", "--way", "a", "--way=a"])).toMatchObject({ way: "a" });
    expect(await refusal(["plain", "--way", "a", "--way", "b"])).toMatchObject({
      code: "usage",
      message: "--way can be given only once",
      hint: "Write one",
    });
  });

  it("keeps arguments as they were typed", async () => {
    expect(
      await optionsOf(["group", "call", "a/b", "n=007", "o:={}", "x.y=1", "--", "--flag=1", "-5"]),
    ).toEqual({
      ...callingDefaults,
      target: "a/b",
      pairs: ["n=007", "o:={}", "x.y=1", "--flag=1", "-5"],
    });
  });

  it("takes the options of commands that talk to a server", async () => {
    expect(
      await optionsOf(["group", "call", "t", "-u", "http://x", "--profile", "p", "-t", "secret"]),
    ).toEqual({
      ...callingDefaults,
      target: "t",
      pairs: [],
      url: "http://x",
      profile: "p",
      token: "secret",
    });
  });
});

describe("environment twins", () => {
  const variables = {
    ONEDOOR_CONFIG: "env.json",
    ONEDOOR_STORE: "file",
    ONEDOOR_PORT: "7",
    ONEDOOR_CONFIG_DIR: "/env",
    ONEDOOR_TIMEOUT: "2",
    ONEDOOR_FORMAT: "json",
    ONEDOOR_SOMETHING_NEW: "x",
    ONEDOOR_LIMIT: "1",
    ONEDOOR_DRY_RUN: "true",
  };

  it("fill what the command line leaves out, where the option names one, and no other", async () => {
    expect(await optionsOf(["plain"], variables)).toEqual({
      ...plainDefaults,
      config: "env.json",
      store: "file",
      port: 7,
      configDir: "/env",
      timeoutMs: 2000,
      format: "json",
    });
  });

  it("lose against the command line", async () => {
    expect(await optionsOf(["plain", "-f", "a", "--format", "text"], variables)).toMatchObject({
      config: "a",
      format: "text",
    });
  });

  it("leave the choice of server and token to the command", async () => {
    const server = { ONEDOOR_URL: "http://x", ONEDOOR_TOKEN: "secret", ONEDOOR_PROFILE: "p" };
    expect(await optionsOf(["group", "call", "t"], server)).toEqual({
      ...callingDefaults,
      target: "t",
      pairs: [],
    });
  });

  it("count as not set when they are empty", async () => {
    expect(await optionsOf(["plain"], { ONEDOOR_CONFIG: "", ONEDOOR_TIMEOUT: "" })).toEqual(
      plainDefaults,
    );
  });

  it("are refused by their own name", async () => {
    expect(await refusal(["plain"], { ONEDOOR_TIMEOUT: "soon" })).toMatchObject({
      code: "usage",
      message: 'ONEDOOR_TIMEOUT must be a number, not "soon"',
    });
  });
});

describe("a wrong command line is refused as usage", () => {
  it.each([
    [["plian"], "Unknown command: plian", "did you mean agent plain?"],
    [["group", "cal"], "Unknown command: group cal", "did you mean agent group call?"],
    [["group", "x"], "Unknown command: group x", "agent group --help"],
    [["call"], "Unknown command: call", "agent --help"],
    [["group", "run"], "Unknown command: group run", "did you mean agent group call?"],
    [["plain", "--confg", "x"], "Unknown option: --confg", "did you mean --config?"],
    [["plain", "--zzz"], "Unknown option: --zzz", "agent plain --help"],
    [["plain", "-x"], "Unknown option: -x", "agent plain --help"],
    [["plain", "--url", "http://x"], "Unknown option: --url", "agent plain --help"],
    [["plain", "--config"], "--config needs a value", "agent plain --help"],
    [["plain", "--config", ""], "--config needs a value", "agent plain --help"],
    [["group", "call", "t", "--token", ""], "--token needs a value", "agent group call --help"],
    [["plain", "--tag"], "--tag needs a value", "agent plain --help"],
    [["plain", "--tag", "--dry-run"], "--tag needs a value", "agent plain --help"],
    [["plain", "--tag", "a", "--tag"], "--tag needs a value", "agent plain --help"],
    [["plain", "--config", "--dry-run"], "--config needs a value", "agent plain --help"],
    [
      ["plain", "--store", "fil"],
      '--store must be keychain or file, not "fil"',
      "did you mean file?",
    ],
    [["plain", "--port", "80x"], '--port must be a number, not "80x"', "agent plain --help"],
    [["plain", "--format", "yaml"], '--format must be text or json, not "yaml"', undefined],
    [["plain", "bsh"], '<shell> must be bash or zsh, not "bsh"', "did you mean bash?"],
    [["plain", "bash", "more"], "Unexpected argument: more", "agent plain --help"],
    [["group", "call"], "<target> is missing", "agent group call --help"],
  ])("%j", async (words, message, hint) => {
    expect(await refusal(words)).toMatchObject({
      code: "usage",
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  });

  it.each(["0", "-1", "NaN", "Infinity", "1e400", "abc", "2147484"])(
    "--timeout %s",
    async (seconds) => {
      expect(await refusal(["plain", `--timeout=${seconds}`])).toMatchObject({ code: "usage" });
    },
  );

  it("without repeating a token that stands in the wrong place", async () => {
    const token = "ghp_0123456789abcdefghijklmnop";
    for (const words of [[token], ["plain", "bash", token], ["group", token]]) {
      const error = await refusal(words);
      expect(error).toMatchObject({ code: "usage" });
      expect(JSON.stringify(error) + String(error)).not.toContain(token);
    }
  });
});

describe("help and version", () => {
  it.each([
    [[], []],
    [["--help"], []],
    [["help"], []],
    [["group"], ["group"]],
    [["group", "--help"], ["group"]],
    [["help", "group"], ["group"]],
  ])("%j shows a list without loading a command", async (words, path) => {
    loaded.length = 0;
    expect(await parseCommandLine(words, table, {})).toEqual({ kind: "help", path });
    expect(loaded).toEqual([]);
  });

  it.each([[["plain", "-h"]], [["help", "plain"]], [["plain", "bash", "--help", "--nonsense"]]])(
    "%j shows the command",
    async (words) => {
      expect(await parseCommandLine(words, table, {})).toEqual({ kind: "help", path: ["plain"] });
    },
  );

  it("tells the version after a command as well", async () => {
    expect(await parseCommandLine(["plain", "--version"], table, {})).toEqual({ kind: "version" });
  });
});

it("loads the chosen command only", async () => {
  loaded.length = 0;
  await optionsOf(["group", "call", "t"]);
  expect(loaded).toEqual(["group call"]);
});
