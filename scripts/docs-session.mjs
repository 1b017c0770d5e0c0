import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const modules = fileURLToPath(new URL("../node_modules/@modelcontextprotocol/", import.meta.url));

const idOfToken = "agent token list --user bob@example.com | awk 'NR == 2 {print $1}'";

/**
 * What each page shows: the lines as they are typed, run in this order by one user on one machine, and the
 * exit code where it is not 0. A line without a page prepares the next.
 * @type {[page: string, line: string, exitCode?: number][]}
 */
const session = [
  ["serve", "agent serve --background"],
  ["serve", "agent serve --status"],
  ["auth-login", "agent auth login"],
  ["wait", "agent wait"],
  ["wait", "agent wait memory"],
  ["auth-status", "agent auth status"],
  ["auth-whoami", "agent auth whoami"],
  ["auth-refresh", "agent auth refresh"],
  ["auth-token", "agent auth token --header | cut -c 1-26"],
  ["auth-switch", "agent auth switch http://127.0.0.1:3050"],
  ["inspect", "agent inspect"],
  ["inspect", "agent inspect memory"],
  ["inspect", "agent inspect everything/echo"],
  ["run", "agent run everything/echo message=hello"],
  ["run", "agent run everything/get-sum a=2 b=40"],
  ["run", "agent run everything/get-sum a=two b=40", 2],
  ["run", "agent run everything/ecko message=hello", 2],
  [
    "proxy",
    `echo '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"everything__echo","arguments":{"message":"hello"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}' | agent proxy`,
  ],
  ["instructions", "agent instructions | head -n 24"],
  ["doctor", "agent doctor | head -n 8"],
  ["completion", "agent completion bash | head -n 5"],
  ["org-add", "agent org add acme --name 'Acme Inc.'"],
  ["org-add", "agent org add acme", 2],
  ["org-list", "agent org list"],
  ["user-add", "agent user add bob@example.com --name Bob"],
  ["", "(umask 077 && openssl rand -base64 18 > bob.password)"],
  ["user-passwd", "agent user passwd bob@example.com < bob.password"],
  ["user-passwd", "echo bob | agent user passwd bob@example.com", 2],
  ["user-list", "agent user list"],
  ["user-disable", "agent user disable bob@example.com"],
  ["user-enable", "agent user enable bob@example.com"],
  ["member-set", "agent member set bob@example.com acme viewer"],
  ["member-set", "agent member set bob@example.com acme editor"],
  ["member-list", "agent member list --organization acme"],
  ["token-create", "agent token create --name ci --user bob@example.com --organization acme"],
  ["token-list", "agent token list"],
  ["token-rotate", `${idOfToken} | xargs agent token rotate`],
  ["token-revoke", `${idOfToken} | xargs agent token revoke`],
  ["member-remove", "agent member remove bob@example.com acme"],
  ["member-restore", "agent member restore bob@example.com acme"],
  ["user-remove", "agent user remove bob@example.com"],
  ["user-restore", "agent user restore bob@example.com"],
  ["org-remove", "agent org remove acme"],
  ["org-restore", "agent org restore acme"],
  ["history", "agent history --entity member"],
  ["audit", "agent audit"],
  ["audit", "agent audit --tool '*echo' --limit 1 --format csv"],
  ["", "sed -i 's/local/home/' ~/.config/onedoor/mcp.json"],
  ["", "until agent history --entity server | grep -q changed; do sleep 0.2; done"],
  ["mcp-restore", "agent history --entity server --id files"],
  ["mcp-restore", "agent mcp restore files"],
  ["mcp-add", "agent mcp add time --tag clock --disabled -- uvx mcp-server-time"],
  ["mcp-add", `agent mcp add '{"mcpServers": {"time": {"url": "https://time.example/mcp"}}}'`, 2],
  ["mcp-list", "agent mcp list"],
  ["mcp-disable", "agent mcp disable memory"],
  ["mcp-enable", "agent mcp enable memory"],
  ["mcp-remove", "agent mcp remove time"],
  ["mcp-tokens", "agent mcp tokens"],
  ["mcp-approve", "agent mcp approve files"],
  [
    "",
    `mkdir -p ~/.cursor && echo '{"mcpServers": {"time": {"command": "uvx", "args": ["mcp-server-time"]}}}' > ~/.cursor/mcp.json`,
  ],
  ["mcp-import", "agent mcp import --dry-run"],
  ["mcp-import", "agent mcp import cursor"],
  ["preset-save", "agent preset save here --tags local --filter 'not beta'"],
  ["preset-save", "agent preset save wrong --filter 'local and (beta or'", 2],
  ["preset-list", "agent preset list"],
  ["preset-show", "agent preset show here"],
  ["preset-delete", "agent preset delete here"],
  ["setup", "agent setup claude --dry-run"],
  ["setup", "agent setup cursor --scope project --yes"],
  ["setup", "agent setup cursor --scope project --undo --yes"],
  ["admin-purge", "agent admin purge --before 90d", 2],
  ["admin-purge", "agent admin purge --before 90d --yes"],
  ["auth-logout", "agent auth logout --all"],
  ["serve", "agent serve --stop"],
];

/** @param {string} name @param {string[]} args */
const server = (name, ...args) => ({
  command: process.execPath,
  args: [`${modules}server-${name}/dist/index.js`, ...args],
});

/**
 * Runs the session with the built program and real servers, in a home of its own.
 * @returns {Promise<Map<string, string>>} page → what the terminal showed, addresses and paths made general
 */
export async function recordSession() {
  const home = mkdtempSync(join(tmpdir(), "onedoor-docs-"));
  const bin = join(home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "agent"), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, {
    mode: 0o755,
  });
  const config = join(home, ".config", "onedoor");
  mkdirSync(config, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(config, "mcp.json"),
    JSON.stringify({
      mcpServers: {
        everything: server("everything"),
        files: { ...server("filesystem", home), tags: ["local"] },
        memory: server("memory"),
      },
    }),
    { mode: 0o600 },
  );
  const env = {
    PATH: `${bin}:${process.env["PATH"]}`,
    HOME: home,
    LANG: "C.UTF-8",
    NO_COLOR: "1",
    // No keychain of the machine's is touched; the program says that it takes the file.
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${home}/no-bus`,
  };
  /** @type {Map<string, string>} */
  const pages = new Map();
  try {
    for (const [page, line, exitCode = 0] of session) {
      const shown = await shell(line, env);
      if (shown.exitCode !== exitCode)
        throw new Error(`${line} ended with ${shown.exitCode}:\n${shown.text}`);
      const text = general(shown.text, home);
      pages.set(page, `${pages.get(page) ?? ""}$ ${line}\n${text}`);
    }
  } finally {
    await shell("agent serve --stop", env);
    rmSync(home, { recursive: true, force: true });
  }
  return pages;
}

/** @param {string} line @param {NodeJS.ProcessEnv} env @returns {Promise<{text: string, exitCode: number | null}>} */
function shell(line, env) {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", `exec 2>&1; set -o pipefail; ${line}`], {
      env,
      cwd: env["HOME"],
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ text, exitCode }));
  });
}

/** @param {string} text @param {string} home */
function general(text, home) {
  return text
    .replaceAll(home, "~")
    .replaceAll(main, "/usr/lib/node_modules/@onedoor/agent/dist/main.js")
    .replace(/\b\d{8}T\d{6}Z\b/g, "20261122T090000Z")
    .replaceAll(process.execPath, "node")
    .replaceAll(modules, "~/servers/")
    .replace(/\bod_[\w-]+/g, (token) => `${token.slice(0, 7)}…`)
    .replace(/\b(?:process|pid) \d+\b/g, (words) => words.replace(/\d+/, "4711"));
}
