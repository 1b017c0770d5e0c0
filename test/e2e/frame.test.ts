import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAgent, startAgent } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
beforeEach(() => {
  home = createHome();
});
afterEach(() => {
  home.remove();
});

const packageJson: { version: string } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

/** The program's own files that a command line loads, as V8's coverage lists them. */
async function loadedFiles(args: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(home.folder, "coverage-"));
  await runAgent(args, { home, env: { NODE_V8_COVERAGE: folder } });
  const urls = readdirSync(folder).flatMap((file) => {
    const report: { result: { url: string }[] } = JSON.parse(
      readFileSync(join(folder, file), "utf8"),
    );
    return report.result.map(({ url }) => url);
  });
  return [...new Set(urls.filter((url) => url.includes("/dist/")))].map((url) =>
    url.replace(/^.*\/dist\//u, "").replace(/-[A-Z0-9]{8}\.js$/u, ".js"),
  );
}

/** A server that takes connections and never answers. */
async function muteServer(): Promise<{ url: string; called: Promise<void>; server: Server }> {
  const server = createServer();
  const called = new Promise<void>((resolve) => {
    server.once("connection", () => resolve());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, called, server };
}

describe("--version", () => {
  it("loads main's file and nothing else", async () => {
    expect(await loadedFiles(["--version"])).toEqual(["main.js"]);
  });

  it.each([[["--version"]], [["-V"]], [["auth", "status", "--version"]]])("%j", async (args) => {
    expect(await runAgent(args, { home })).toEqual({
      code: 0,
      signal: null,
      stdout: `${packageJson.version}\n`,
      stderr: "",
    });
  });
});

describe("help", () => {
  it("goes to stdout, exit 0, also for no command at all", async () => {
    for (const args of [[], ["--help"], ["help"], ["auth"], ["run", "--help"], ["help", "run"]]) {
      const result = await runAgent(args, { home });
      expect(result).toMatchObject({ code: 0, stderr: "" });
      expect(result.stdout).toMatch(/^Usage: agent/u);
    }
  });

  it("loads the one file that every command loads, and of a command its own besides", async () => {
    const one = ["command-line.js", "main.js"];
    expect((await loadedFiles(["--help"])).toSorted()).toEqual(one);
    expect((await loadedFiles(["run", "--help"])).toSorted()).toEqual(one);
    expect(await loadedFiles(["serve", "--help"])).toContain("lazy/cli-commands-serve.js");
  });
});

describe("a wrong command line", () => {
  it("is one line and a hint, exit 2", async () => {
    expect(await runAgent(["inspct"], { home })).toEqual({
      code: 2,
      signal: null,
      stdout: "",
      stderr: "agent: Unknown command: inspct\nhint: did you mean agent inspect?\n",
    });
    expect(await runAgent(["serve", "--prot", "1"], { home })).toMatchObject({
      code: 2,
      stderr: "agent: Unknown option: --prot\nhint: did you mean --port?\n",
    });
  });

  it("is one JSON line with --json, wherever that stands", async () => {
    for (const args of [
      ["--json", "inspct"],
      ["inspct", "--json"],
    ]) {
      const { code, stderr, stdout } = await runAgent(args, { home });
      expect([code, stdout]).toEqual([2, ""]);
      expect(JSON.parse(stderr)).toEqual({
        error: {
          code: "usage",
          message: "Unknown command: inspct",
          hint: "did you mean agent inspect?",
        },
      });
    }
  });

  it("is not made of unknown variables", async () => {
    const env = { ONEDOOR_FUTURE: "1", ONEDOOR_ALL: "1", ONEDOOR_NO_VERIFY: "1" };
    expect(await runAgent(["serve", "--status"], { home, env })).toMatchObject({ code: 3 });
  });
});

describe("while a server does not answer", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends a command quietly with %i", async (signal, code) => {
    const { url, called, server } = await muteServer();
    try {
      const agent = startAgent(["inspect", "--url", url], { home });
      await called;
      agent.process.kill(signal);
      expect(await agent.ended).toMatchObject({ code, signal: null, stdout: "", stderr: "" });
    } finally {
      server.close();
    }
  });

  it("--timeout ends it with 3, and so does its variable", async () => {
    const { url, server } = await muteServer();
    try {
      for (const [args, env] of [
        [["--timeout", "0.2"], {}],
        [[], { ONEDOOR_TIMEOUT: "0.2" }],
      ] as const) {
        const { code, stderr } = await runAgent(["inspect", "--json", "--url", url, ...args], {
          home,
          env,
        });
        expect(code).toBe(3);
        expect(JSON.parse(stderr)).toMatchObject({ error: { code: "timeout" } });
      }
    } finally {
      server.close();
    }
  });

  it
    .runIf(process.platform === "linux")
    .each([
      [["--token", "od_very-secret-token-1234567890"]],
      [["--token=od_very-secret-token-1234567890"]],
      [["-t", "od_very-secret-token-1234567890"]],
      [["-t=od_very-secret-token-1234567890"]],
      [["-qt", "od_very-secret-token-1234567890"]],
    ])("the command line that ps shows does not hold the token of %j", async (words) => {
    const { url, called, server } = await muteServer();
    try {
      const agent = startAgent(["inspect", "--url", url, ...words], { home });
      await called;
      const shown = readFileSync(`/proc/${agent.pid}/cmdline`, "utf8");
      expect(shown).not.toContain("secret");
      expect(shown).toContain("agent");
      agent.process.kill("SIGINT");
      await agent.ended;
    } finally {
      server.close();
    }
  });
});

describe("a bug that nobody catches", () => {
  it.each([
    ["an exception", "throw new Error('of secret things')"],
    ["a rejection", "Promise.reject(new Error('of secret things'))"],
  ])("%s ends the command with one line and 1", async (_name, bug) => {
    const { url, called, server } = await muteServer();
    // The bug waits until it is called for, in the middle of a command.
    const planted = `process.once("SIGUSR2", () => { ${bug} })`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(planted)}` };
    try {
      for (const debug of [false, true]) {
        const args = ["inspect", "--url", url, ...(debug ? ["--debug"] : [])];
        const agent = startAgent(args, { home, env });
        await (debug ? once(server, "connection") : called);
        agent.process.kill("SIGUSR2");
        const { code, stdout, stderr } = await agent.ended;
        expect([code, stdout]).toEqual([1, ""]);
        expect(stderr).toMatch(
          /^agent: Unexpected failure \(Error\)\nhint: the same command with --debug shows where\n/u,
        );
        expect(stderr.includes("of secret things")).toBe(debug);
        expect(stderr.trimEnd().split("\n").length > 2).toBe(debug);
      }
    } finally {
      server.close();
    }
  });
});

describe("a closed stdout", () => {
  it.each([[["completion", "bash"]], [["--help"]], [["--version"]], [["serve", "--status"]]])(
    "ends %j quietly",
    async (args) => {
      const agent = startAgent(args, { home });
      agent.process.stdout?.destroy();
      expect(await agent.ended).toMatchObject({ signal: null, stderr: "" });
    },
  );
});

it("takes -- for the end of its options", async () => {
  const { code, stderr } = await runAgent(["--", "--json"], { home });
  expect([code, stderr]).toEqual([0, ""]);
});
