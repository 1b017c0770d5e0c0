// The way through OneDoor in one minute: builds it, starts a gateway with three real MCP servers, signs in,
// discovers, calls a tool, and leaves nothing behind. Every command is shown before it runs.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const agent = join(root, "dist", "main.js");
const expected = "Echo: hello";

const folder = mkdtempSync(join(tmpdir(), "onedoor-quickstart-"));
const configDir = join(folder, "onedoor");

/** The user's own settings for OneDoor stay out of it. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("ONEDOOR_")),
);

/** @type {NodeJS.Signals | undefined} */
let interruptedBy;
/** @type {import("node:child_process").ChildProcess | undefined} */
let child;
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    interruptedBy ??= signal;
    child?.kill(signal);
  });
}

try {
  await main();
} catch (error) {
  if (interruptedBy === undefined) {
    console.error(`\nquickstart: ${error instanceof Error ? error.message : String(error)}`);
  }
  process.exitCode = 1;
} finally {
  // Whatever happened above. Stopping a gateway that does not run is no failure.
  if (process.exitCode !== undefined) {
    await run([agent, "serve", "--stop", "--config-dir", configDir], { quiet: true }).catch(
      () => undefined,
    );
  }
  rmSync(folder, { recursive: true, force: true });
}
if (interruptedBy !== undefined) process.exitCode = 128 + constants.signals[interruptedBy];

async function main() {
  show("node scripts/build.mjs");
  await must([join(root, "scripts", "build.mjs")]);

  const files = join(folder, "files");
  mkdirSync(files);
  writeFileSync(join(files, "hello.txt"), "Hello from the quickstart.\n");
  mkdirSync(configDir, { mode: 0o700 });
  const config = join(configDir, "mcp.json");
  const configuration = {
    mcpServers: {
      everything: server("everything"),
      files: server("filesystem", files),
      memory: { ...server("memory"), env: { MEMORY_FILE_PATH: join(folder, "memory.jsonl") } },
    },
  };
  writeFileSync(config, `${JSON.stringify(configuration, null, 2)}\n`, { mode: 0o600 });
  say(`\n# three real MCP servers, in the form every MCP client uses: ${config}`);
  say(JSON.stringify(configuration, null, 2));

  say("\n# the gateway, in the background, on any free port");
  await step("serve", "--background", "--port", "0");
  say("\n# sign in: the gateway is yours and on this machine, so there is no token to type");
  await step("auth", "login", "--store", "file");
  say("\n# what is there?");
  await step("wait");
  await step("inspect");
  say("\n# call a tool");
  const answer = await step("run", "everything/echo", "message=hello");
  say("\n# and away with it all");
  await step("serve", "--stop");

  if (answer.trim() !== expected) {
    throw new Error(`the tool should have answered ${JSON.stringify(expected)}`);
  }
  say(`
It works. Next, with your own servers in mcp.json (agent serve says where it is looked for):

  npx agent serve --background
  npx agent auth login
  npx agent inspect`);
}

/** @param {string} name @param {string[]} args */
function server(name, ...args) {
  const file = join(
    root,
    "node_modules",
    "@modelcontextprotocol",
    `server-${name}`,
    "dist",
    "index.js",
  );
  return { command: process.execPath, args: [file, ...args] };
}

/** @param {string} text */
function say(text) {
  process.stdout.write(`${text}\n`);
}

/** @param {string} text */
function show(text) {
  say(`$ ${text}`);
}

/**
 * One command of ours, shown as one would type it.
 * @param {string[]} words
 * @returns {Promise<string>} what it wrote to stdout
 */
function step(...words) {
  const all = [...words, "--config-dir", configDir];
  show(["npx agent", ...all].join(" "));
  return must([agent, ...all]);
}

/**
 * @param {string[]} args
 * @returns {Promise<string>}
 */
async function must(args) {
  const { code, stdout } = await run(args, { quiet: false });
  if (interruptedBy !== undefined) throw new Error(interruptedBy);
  if (code !== 0) throw new Error(`that failed (exit code ${code})`);
  return stdout;
}

/**
 * @param {string[]} args
 * @param {{quiet: boolean}} options
 * @returns {Promise<{code: number | null, stdout: string}>}
 */
function run(args, { quiet }) {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, args, {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", quiet ? "ignore" : "inherit"],
    });
    child = started;
    let stdout = "";
    started.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      stdout += text;
      if (!quiet) process.stdout.write(text);
    });
    started.once("error", reject);
    started.once("close", (code) => {
      child = undefined;
      resolve({ code, stdout });
    });
  });
}
