import { spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mainFile, runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

const bob = "bob@example.com";
const phrase = "correct horse battery";

let home: Home;
let gateway: RunningGateway;
beforeEach(async () => {
  home = createHome();
  gateway = await startGateway(home, {});
  await agent("org", "add", "acme");
  await agent("user", "add", bob, "--name", "Bob");
  await agent("member", "set", bob, "acme", "editor");
});
afterEach(async () => {
  await gateway.stop();
  home.remove();
});

function agent(...args: string[]): Promise<AgentResult> {
  return runAgent(args, { home });
}

/**
 * Runs `agent user passwd` on a terminal of its own (util-linux's script gives it one), and `stty` after it.
 * @param typed what is typed, each when the question before it stands there
 * @returns all that the terminal showed
 */
function onTerminal(
  typed: readonly (readonly [question: string, keys: string])[],
): Promise<string> {
  const command = `'${process.execPath}' '${mainFile}' user passwd ${bob}; echo "code $?"; stty -a`;
  const env = { ...home.env, NO_COLOR: "1", TERM: "dumb" };
  const child = spawn("script", ["-qec", command, "/dev/null"], { env, cwd: home.folder });
  const left = [...typed];
  let shown = "";
  let answered = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk;
    const [next] = left;
    if (next === undefined || !shown.includes(next[0], answered)) return;
    answered = shown.length;
    left.shift();
    child.stdin.write(next[1]);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(shown));
  });
}

/** Whether the terminal shows what is typed, reads lines, and makes a signal of Ctrl-C. */
function isRestored(shown: string): boolean {
  return [/(?<!-)\becho\b/u, /(?<!-)\bicanon\b/u, /(?<!-)\bisig\b/u].every((mode) =>
    mode.test(shown.slice(shown.indexOf("code "))),
  );
}

async function signInOf(): Promise<unknown> {
  const listed = await agent("user", "list", "--json");
  return JSON.parse(listed.stdout);
}

describe("agent user passwd on a terminal", () => {
  test("asks twice, shows nothing, and leaves the terminal as it was", async () => {
    const shown = await onTerminal([
      ["New password", `${phrase}\r`],
      ["Once more", `${phrase}\r`],
    ]);
    expect(shown).toContain(`Set the password of ${bob}`);
    expect(shown).toContain("code 0");
    expect(shown).not.toMatch(/correct|horse/u);
    expect(isRestored(shown)).toBe(true);
    expect(await signInOf()).toMatchObject([{ passwordSetAt: expect.any(String) }]);
  });

  test.each([
    ["at once", [["New password", "\u0003"]]],
    ["in the middle of it", [["New password", `${phrase}\u0003`]]],
    [
      "when it is asked for again",
      [
        ["New password", `${phrase}\r`],
        ["Once more", "corr\u0003"],
      ],
    ],
  ] as const)("is given up with Ctrl-C, %s", async (_when, typed) => {
    const shown = await onTerminal(typed);
    expect(shown).toContain("code 130");
    expect(shown).not.toContain("corr");
    expect(isRestored(shown)).toBe(true);
    expect(await signInOf()).toMatchObject([{ passwordSetAt: null }]);
  });
});

test("a user who is disabled gets in nowhere until enabled; the history never has a password", async () => {
  const piped = await runAgent(["user", "passwd", bob], { home, stdin: { text: `${phrase}\n` } });
  expect(piped).toMatchObject({ code: 0 });
  const of = ["--user", bob, "--organization", "acme"];
  const token = (await agent("token", "create", "--name", "ci", ...of)).stdout.trim();
  const whoami = () =>
    runAgent(["auth", "whoami", "--url", gateway.url, "--json"], {
      home,
      env: { ONEDOOR_TOKEN: token },
    });
  expect(await whoami()).toMatchObject({ code: 0 });
  expect(await agent("user", "disable", bob)).toMatchObject({ code: 0 });
  expect((await agent("user", "list")).stdout).toMatch(/bob@example\.com +Bob +disabled/u);
  expect(await whoami()).toMatchObject({ code: 4 });
  expect(await agent("user", "enable", bob)).toMatchObject({ code: 0 });
  expect(await whoami()).toMatchObject({ code: 0 });
  const history = await agent("history", "--json");
  expect(history.stdout).toContain("passwordSetAt");
  expect(history.stdout).not.toMatch(/correct horse|scrypt/u);
});
