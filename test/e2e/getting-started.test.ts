import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runAgent } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";

const page = fileURLToPath(new URL("../../docs/getting-started.md", import.meta.url));
const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));

let home: Home;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await runAgent(["serve", "--stop"], { home });
  home.remove();
});

const npx = (name: string, ...args: string[]) => ({
  command: "npx",
  args: ["-y", `@modelcontextprotocol/server-${name}`, ...args],
});

/** What Claude Desktop has on Linux, and the files of it. */
function haveClaudeDesktop(): void {
  const notes = join(home.folder, "notes");
  mkdirSync(notes);
  writeFileSync(join(notes, "shopping.txt"), "Milk\n");
  const folder = join(home.folder, ".config", "Claude");
  mkdirSync(folder, { recursive: true });
  const mcpServers = { files: npx("filesystem", notes), everything: npx("everything") };
  writeFileSync(
    join(folder, "claude_desktop_config.json"),
    JSON.stringify({ mcpServers }, null, 2),
  );
}

/** In place of npm's, which would need a network: the same packages, as they are installed here. */
function npxWithoutNetwork(): string {
  const bin = join(home.folder, "bin");
  mkdirSync(bin);
  const script = `#!/bin/sh\nshift\nname=$1; shift\nexec "${process.execPath}" "${modules}$name/dist/index.js" "$@"\n`;
  writeFileSync(join(bin, "npx"), script, { mode: 0o755 });
  return `${bin}:${process.env["PATH"] ?? ""}`;
}

test("a new user comes from Claude Desktop's file to a called tool in five commands, as the page shows it", async () => {
  haveClaudeDesktop();
  const path = npxWithoutNetwork();
  const [, recorded = ""] = /```console\n(.*?)```/su.exec(readFileSync(page, "utf8")) ?? [];
  const commands = recorded.split("\n").flatMap((line) => /^\$ agent (.*)$/u.exec(line)?.[1] ?? []);
  expect(commands.length).toBeGreaterThan(0);
  expect(commands.length).toBeLessThanOrEqual(5);
  let transcript = "";
  for (const command of commands) {
    const args = command.replaceAll("~", home.folder).split(" ");
    const { shown, code } = await agentOnTerminal(home, args, [["[all]", "\r"]], {
      PATH: path,
      // The usual one may be taken here.
      ONEDOOR_PORT: "0",
      DBUS_SESSION_BUS_ADDRESS: "",
      XDG_RUNTIME_DIR: "",
    });
    expect({ command, code }).toEqual({ command, code: 0 });
    const said = shown.slice(0, shown.lastIndexOf("ended with ")).replaceAll("\r", "");
    transcript += `$ agent ${command}\n${general(said)}`;
    // Servers start beside the gateway: who types takes longer than they do.
    if (command.startsWith("serve")) await runAgent(["wait"], { home, env: { PATH: path } });
  }
  expect(transcript).toContain("[FILE] shopping.txt");
  expect(transcript).toBe(recorded);
});

/** What is another one on each machine and each day. */
function general(text: string): string {
  return text
    .replaceAll(home.folder, "~")
    .replace(/process \d+/u, "process 4711")
    .replace(/\d ready, \d starting/u, "0 ready, 2 starting")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/gu, "2026-11-22T09:00:00Z")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/gu, "2026-11-23 09:00 UTC")
    .replace(/as \S+ \(admin\)/u, "as you (admin)")
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/gu, "http://127.0.0.1:3050");
}
