import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";
import type { TerminalResult, Typed } from "./support/on-terminal.ts";

const phrase = "correct horse battery";

let home: Home;
let gateway: RunningGateway;
/** Each test has one of its own. */
let user: string;
let users = 0;
beforeAll(async () => {
  home = createHome();
  gateway = await startGateway(home, {});
  await agent("org", "add", "acme");
});
afterAll(async () => {
  await gateway.stop();
  home.remove();
});
beforeEach(async () => {
  users += 1;
  user = `bob-${users}@example.com`;
  await agent("user", "add", user, "--name", "Bob");
  await agent("member", "set", user, "acme", "editor");
});

function agent(...args: string[]): Promise<AgentResult> {
  return runAgent(args, { home });
}

const onTerminal = (typed: readonly Typed[]): Promise<TerminalResult> =>
  agentOnTerminal(home, ["user", "passwd", user], typed);

async function passwordSetAt(): Promise<unknown> {
  const { stdout } = await agent("user", "list", "--json");
  const all: { id: string; passwordSetAt: unknown }[] = JSON.parse(stdout);
  return all.find(({ id }) => id === user)?.passwordSetAt;
}

describe("agent user passwd on a terminal", () => {
  test("asks twice, shows nothing, and leaves the terminal as it was", async () => {
    const { shown, code, isRestored } = await onTerminal([
      ["New password", `${phrase}\r`],
      ["Once more", `${phrase}\r`],
    ]);
    expect(shown).toContain(`Set the password of ${user}`);
    expect(shown).not.toMatch(/correct|horse/u);
    expect({ code, isRestored }).toEqual({ code: 0, isRestored: true });
    expect(await passwordSetAt()).toEqual(expect.any(String));
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
    const { shown, code, isRestored } = await onTerminal(typed);
    expect(shown).not.toContain("corr");
    expect({ code, isRestored }).toEqual({ code: 130, isRestored: true });
    expect(await passwordSetAt()).toBe(null);
  });
});

test("a user who is disabled gets in nowhere until enabled; the history never has a password", async () => {
  const piped = await runAgent(["user", "passwd", user], { home, stdin: { text: `${phrase}\n` } });
  expect(piped).toMatchObject({ code: 0 });
  const of = ["--user", user, "--organization", "acme"];
  const token = (await agent("token", "create", "--name", "ci", ...of)).stdout.trim();
  const whoami = () =>
    runAgent(["auth", "whoami", "--url", gateway.url, "--json"], {
      home,
      env: { ONEDOOR_TOKEN: token },
    });
  expect(await whoami()).toMatchObject({ code: 0 });
  expect(await agent("user", "disable", user)).toMatchObject({ code: 0 });
  expect((await agent("user", "list")).stdout).toMatch(new RegExp(`${user} +Bob +disabled`, "u"));
  expect(await whoami()).toMatchObject({ code: 4 });
  expect(await agent("user", "enable", user)).toMatchObject({ code: 0 });
  expect(await whoami()).toMatchObject({ code: 0 });
  const history = await agent("history", "--json");
  expect(history.stdout).toContain("passwordSetAt");
  expect(history.stdout).not.toMatch(/correct horse|scrypt/u);
});
