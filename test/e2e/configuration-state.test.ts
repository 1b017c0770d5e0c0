import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { rawServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
let gateway: RunningGateway | undefined;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  home.remove();
});

const file = (): string => join(home.configDir, "mcp.json");
const text = (): string => readFileSync(file(), "utf8");
const agent = (args: readonly string[], env: Record<string, string> = {}, stdin?: string) =>
  runAgent(args, { home, env, ...(stdin !== undefined && { stdin: { text: stdin } }) });
const jsonOf = (result: AgentResult) => JSON.parse(result.stdout);

const lacking = "${ONLY_HERE}";
const one = rawServer("all");
const withSecret = { ...one, env: { KEY: lacking } };
const none = { auth: { type: "none" } };

describe("a variable that the gateway lacks and this shell has", () => {
  const here = { ONLY_HERE: "value-of-this-shell" };
  const refusal = `mcpServers.two.env.KEY: the environment variable ONLY_HERE is not set`;
  const hint = "set ONLY_HERE, then agent serve --restart, or agent mcp disable two";

  beforeEach(async () => {
    gateway = await startGateway(home, {
      ...none,
      mcpServers: { one, two: { ...withSecret, disabled: true } },
    });
  });

  test("each command says that the change is not in effect, why, and what mends it", async () => {
    const enabled = await agent(["mcp", "enable", "two"], here);
    expect(enabled).toMatchObject({ code: 0, stdout: "Server two is enabled\n" });
    expect(enabled.stderr).toContain("the running gateway has not taken it up\n");
    expect(enabled.stderr).toContain(refusal);
    expect(enabled.stderr).toContain(`\nhint: ${hint}\n`);

    const preset = await agent(["preset", "save", "dev", "--servers", "one", "--json"], here);
    expect(preset.code).toBe(0);
    expect(jsonOf(preset)).toMatchObject({ changed: true, gateway: "refused" });
    expect(preset.stderr).toContain(refusal);

    const again = await agent(["mcp", "enable", "two", "--json"], here);
    expect(jsonOf(again)).toMatchObject({ changed: [], gateway: "refused" });
    expect(again.stderr).toContain(hint);
    expect(again.stderr).not.toContain("Changed");

    const status = await agent(["serve", "--status"], here);
    expect(status.code).toBe(0);
    expect(status.stdout).toContain("(an older one is in effect)");
    expect(status.stderr).toContain(refusal);
    expect(status.stderr).toContain(`hint: ${hint}`);
    expect(jsonOf(await agent(["serve", "--status", "--json"], here))).toMatchObject({
      configurationProblem: expect.stringContaining(refusal),
      configurationHint: hint,
    });

    const doctor = await agent(["doctor", "--json"], here);
    expect(doctor.code).not.toBe(0);
    expect(jsonOf(doctor)).toMatchObject({
      checks: expect.arrayContaining([
        {
          name: "configuration",
          state: "fail",
          message: expect.stringContaining(refusal),
          mend: "export ONLY_HERE=… && agent serve --restart",
        },
      ]),
    });
    for (const said of [enabled, preset, status, doctor]) {
      expect(said.stdout + said.stderr).not.toContain("value-of-this-shell");
    }

    const disabled = await agent(["mcp", "disable", "two", "--json"], here);
    expect(jsonOf(disabled)).toMatchObject({ changed: ["two"], gateway: "applied" });
    expect((await agent(["serve", "--status"])).stderr).toBe("");
  });
});

test("what the gateway has taken up is well, whatever this shell lacks", async () => {
  gateway = await startGateway(
    home,
    { ...none, mcpServers: { two: withSecret } },
    { env: { ONLY_HERE: "value-of-the-gateway" } },
  );
  const preset = await agent(["preset", "save", "dev", "--servers", "two"]);
  expect(preset).toMatchObject({ code: 0 });
  expect(preset.stderr).toContain(`Changed ${file()}; the running gateway has taken it up\n`);
  const { checks } = JSON.parse((await agent(["doctor", "--json"])).stdout);
  expect(checks.filter(({ name }: { name: string }) => name === "configuration")).toEqual([
    expect.objectContaining({ state: "ok" }),
  ]);
});

test("a folder that others may write is mended by its mode", async () => {
  gateway = await startGateway(home, none);
  chmodSync(home.configDir, 0o777);
  try {
    const { checks } = JSON.parse((await agent(["doctor", "--json"])).stdout);
    expect(checks).toContainEqual(
      expect.objectContaining({
        name: "configuration",
        state: "fail",
        mend: "chmod go-w ~/.config/onedoor",
      }),
    );
  } finally {
    chmodSync(home.configDir, 0o700);
  }
});

test("a file that is wrong elsewhere is refused with its line, and the wrong entry can be removed", async () => {
  const wrong = `{\n  "mcpServers": {\n    "bad": { "comand": "x" },\n    "worse": { "url": 5 }\n  }\n}\n`;
  home.writeConfiguration(wrong);
  const added = await agent(["mcp", "add", "z2", "--", "foo"]);
  expect(added).toMatchObject({ code: 2, stdout: "" });
  expect(added.stderr).toContain(`${file()}:3: mcpServers.bad.comand: unknown key`);
  expect((await agent(["preset", "save", "p", "--servers", "z2"])).code).toBe(2);
  expect(text()).toBe(wrong);
  expect((await agent(["mcp", "remove", "bad"])).code).toBe(0);
  expect((await agent(["mcp", "remove", "worse"])).code).toBe(0);
  expect((await agent(["mcp", "add", "z2", "--", "foo"])).code).toBe(0);
});

test("a removal without a gateway keeps the file as it was, and does not speak of restoring", async () => {
  const before = JSON.stringify({ mcpServers: { one } }, null, 2);
  home.writeConfiguration(before);
  const removed = await agent(["mcp", "remove", "one"]);
  expect(removed.code).toBe(0);
  expect(removed.stderr).not.toContain("restore");
  const [, kept = ""] = /^The file as it was: (\S+)$/mu.exec(removed.stderr) ?? [];
  expect(readFileSync(kept, "utf8")).toBe(before);
  home.writeConfiguration(before);
  const { backup, gateway: outcome } = jsonOf(await agent(["mcp", "remove", "one", "--json"]));
  expect(outcome).toBe("not running");
  expect(readFileSync(backup, "utf8")).toBe(before);
});

test("a server that is restored without its secret is disabled, and each step that brings it back is named", async () => {
  gateway = await startGateway(home, none);
  const words = ["mcp", "add", "keyed", "--env", "KEY", "--json", "--", one.command, ...one.args];
  const added = await agent(words, {}, "kept-secret-4711\n");
  expect(jsonOf(added)).toMatchObject({ gateway: "applied" });
  expect((await agent(["mcp", "remove", "keyed"])).stderr).toContain("agent mcp restore keyed");
  const restored = await agent(["mcp", "restore", "keyed"]);
  expect(restored.code).toBe(0);
  expect(restored.stdout).toContain("but disabled\n");
  expect(restored.stderr).toContain("agent mcp add keyed --env KEY --replace");
  expect(restored.stderr).toContain("agent mcp enable keyed");
  expect(JSON.parse(text()).mcpServers.keyed).toMatchObject({ disabled: true });
  expect((await agent(["serve", "--status"])).stderr).toBe("");

  const given = await agent(["mcp", "add", "keyed", "--env", "KEY", "--replace"], {}, "another\n");
  expect(given.code).toBe(0);
  const enabled = await agent(["mcp", "enable", "keyed", "--json"]);
  expect(jsonOf(enabled)).toMatchObject({ gateway: "applied" });
  expect(await agent(["wait", "keyed"])).toMatchObject({ code: 0 });
});

test("a gateway that refuses the file remembers nothing of it: the removal keeps the file", async () => {
  gateway = await startGateway(home, none);
  writeFileSync(file(), JSON.stringify({ ...none, mcpServers: { one, two: withSecret } }));
  const removed = await agent(["mcp", "remove", "two", "--json"]);
  expect(jsonOf(removed)).toMatchObject({ gateway: "applied", backup: expect.any(String) });
});
