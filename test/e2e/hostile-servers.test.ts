import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRecordingServer } from "./support/recording-server.ts";
import type { RecordingServer } from "./support/recording-server.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { faults, startFaultyServer } from "./hostile/faulty-server.ts";
import type { Fault, FaultyServer } from "./hostile/faulty-server.ts";

const goodToken = "good-token-of-the-tests-0001";
const otherToken = "other-token-of-the-tests-0002";

/** What is said of each, whichever question it was that came to nothing. */
const said: Readonly<Record<Fault, RegExp>> = {
  html: /did not answer as a OneDoor gateway \(text\/html\)|answered with something that is not MCP/u,
  redirect: /redirects; redirects are not followed/u,
  silence: /No answer within 0\.5 s/u,
  fault: /answered with HTTP 500/u,
  "hang-up": /the connection was closed before the answer/u,
  endless: /is longer than \d+ MiB|a message of more than 64 MiB/u,
  drip: /No answer within 0\.5 s/u,
  "not-http": /it does not answer in HTTP/u,
};
const neverEnds: ReadonlySet<Fault> = new Set(["silence", "drip"]);

let elsewhere: RecordingServer;
let server: FaultyServer;
let home: Home;
beforeAll(async () => {
  elsewhere = await startRecordingServer((_, response) => {
    response.end("{}");
  });
  server = await startFaultyServer(goodToken, elsewhere.url);
});
afterAll(async () => {
  await server.close();
  await elsewhere.close();
});

/** Everything the key ring holds, to the byte. */
function keptFiles(): Record<string, string> {
  const names = readdirSync(home.configDir, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file, readFileSync(file, "latin1")]),
  );
}

const commands: Readonly<Record<string, string>> = {
  "auth login": "auth login --store file",
  "auth status": "auth status",
  "auth whoami": "auth whoami",
  run: "run files/read path=x",
  inspect: "inspect",
};

/** What there is to show all the same. */
const shown: Readonly<Record<string, RegExp>> = {
  "auth status": /^result +unreachable$/mu,
  "auth whoami": /^server +http/mu,
};

function agent(name: string, fault: Fault, more: readonly string[] = []): Promise<AgentResult> {
  server.fault = fault;
  const args = (commands[name] ?? name).split(" ");
  const timeout = neverEnds.has(fault) ? "0.5" : "20";
  return runAgent([...args, "--url", server.url, "--timeout", timeout, ...more], {
    home,
    ...(name === "auth login" && { stdin: { text: `${otherToken}\n` } }),
  });
}

async function signIn({ url }: FaultyServer, more: readonly string[] = []): Promise<void> {
  const args = ["auth", "login", "--url", url, "--store", "file", ...more];
  const { code, stderr } = await runAgent(args, { home, stdin: { text: goodToken } });
  if (code !== 0) throw new Error(stderr);
}

/** Anything by which somebody could go on as who signed in. */
function expectNoSecret({ stdout, stderr }: AgentResult): void {
  for (const token of [goodToken, otherToken]) expect(stdout + stderr).not.toContain(token);
  expect(elsewhere.received()).toBe("");
}

describe.each(["a gateway", "nobody asked what"])("a profile for %s", (known) => {
  beforeAll(async () => {
    home = createHome();
    server.fault = undefined;
    await signIn(server, known === "a gateway" ? [] : ["--no-verify"]);
  });
  afterAll(() => home.remove());

  describe.each(faults)("%s", (fault) => {
    test.each(Object.keys(commands))("%s: exit 3, one line, nothing changed", async (name) => {
      const before = keptFiles();
      expect(Object.values(before).join("")).toContain(goodToken);
      const result = await agent(name, fault);
      expect(result).toMatchObject({ code: 3 });
      expectNoSecret(result);
      expect(keptFiles()).toEqual(before);
      const [message = "", hint = "", ...rest] = result.stderr.trimEnd().split("\n");
      expect(message).toMatch(said[fault]);
      expect(message).toMatch(
        name === "auth login" ? /; nothing saved, the earlier profile is unchanged$/u : /[^;]+/u,
      );
      expect(rest).toEqual([]);
      // Where a redirect wanted us to go is said, and nobody went there.
      expect(hint).toContain(fault === "redirect" ? `--url '${elsewhere.url}/taken` : "hint: ");
      expect(result.stdout).toMatch(shown[name] ?? /^$/u);
    });

    test("with --json: one line", async () => {
      const result = await agent("inspect", fault, ["--json"]);
      expect(result).toMatchObject({ code: 3, stdout: "" });
      expectNoSecret(result);
      const { error } = JSON.parse(result.stderr);
      expect(error).toMatchObject({ code: neverEnds.has(fault) ? "timeout" : "unreachable" });
      expect(error.message).toMatch(said[fault]);
    });
  });
});

describe.each(["a gateway", "an MCP server"])("a 5xx of %s", (kind) => {
  test.each(["auth_rejected", "forbidden", "internal"])(
    "that calls itself %s is no judgement of the token",
    async (code) => {
      home = createHome();
      const faulty = await startRecordingServer(({ path }, response) => {
        const isKnown = kind === "a gateway" && path === "/status";
        response.writeHead(isKnown ? 200 : 503, { "content-type": "application/json" });
        const body = isKnown
          ? { name: "onedoor" }
          : { error: { code, message: "The token is not good" } };
        response.end(JSON.stringify(body));
      });
      const at = ["--url", faulty.url];
      const kept = ["auth", "login", ...at, "--store", "file", "--no-verify"];
      expect(await runAgent(kept, { home, stdin: { text: goodToken } })).toMatchObject({ code: 0 });
      const status = await runAgent(["auth", "status", ...at, "--json"], { home });
      expect(status).toMatchObject({ code: 3 });
      expect(JSON.parse(status.stdout)).toMatchObject([{ result: "unreachable" }]);
      const fault = { code: 3, stdout: "", stderr: expect.stringContaining("HTTP 503") };
      const login = await runAgent(["auth", "login", ...at], { home, stdin: { text: otherToken } });
      expect(login).toMatchObject(fault);
      for (const words of ["inspect", "run s/t"]) {
        expect(await runAgent([...words.split(" "), ...at], { home })).toMatchObject(fault);
      }
      await faulty.close();
      home.remove();
    },
  );
});

test("dead servers hide no living one, and take none with them", async () => {
  home = createHome();
  server.fault = undefined;
  await signIn(server);
  const expected: Record<string, string> = { [server.url]: "ok" };
  const dead: FaultyServer[] = [];
  for (const fault of faults) {
    const other = await startFaultyServer(goodToken, elsewhere.url);
    dead.push(other);
    await signIn(other);
    other.fault = fault;
    expected[other.url] = "unreachable";
  }
  const status = ["auth", "status", "--all", "--json", "--timeout", "8"];
  const { code, stdout } = await runAgent(status, { home });
  const rows: { url: string; result: string }[] = JSON.parse(stdout);
  expect(Object.fromEntries(rows.map(({ url, result }) => [url, result]))).toEqual(expected);
  expect(code).toBe(3);
  for (const other of dead) await other.close();
  home.remove();
});
