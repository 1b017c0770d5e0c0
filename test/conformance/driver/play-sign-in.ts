// A person with the built program, as the conformance suite starts one for its scenarios about signing in:
// `play-sign-in <node> <main.js> <url>`, the scenario's name and context in the environment, a browser that needs
// nobody as `xdg-open` on PATH. Signs in, looks at the tools, calls them, and does what a hint says when a command is
// refused. It ends as the command that was refused at last.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createHome } from "../../e2e/support/home.ts";

const [node, mainFile, url] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_CONTEXT: context } = process.env;
if (node === undefined || mainFile === undefined || url === undefined || scenario === undefined) {
  throw new Error("Started by the suite only");
}

/** Where the suite says that the client's metadata document is; nobody has to read it. */
const clientMetadataUrl = "https://conformance-test.local/client-metadata.json";
/** A person loses patience: the suite allows three sign-ins where none will ever do. */
const mostSignIns = 6;
/** How a program ends whose server wants another token (docs/commands). */
const refusedCode = 4;
const suitesTokens = /\b(?:test|cc)-token-/u;

const home = createHome();
let signIns = 0;
let running: ChildProcess | undefined;
let over = false;
// The suite ends a driver that takes too long, and closes its stdin when it is ended itself.
process.once("SIGTERM", leave);
process.stdin.once("end", leave).resume();
try {
  process.exitCode = await play();
} catch (error) {
  // Where a refusal is expected, the suite overlooks an exit code: the runner looks for this line.
  console.error(`Play failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  process.stdin.destroy();
  home.remove();
}

function leave(): void {
  over = true;
  running?.kill("SIGKILL");
}

/** @returns the exit code of the last command */
async function play(): Promise<number> {
  const login = ["auth", "login", "--url", url!, ...waysOf(scenario!)];
  let signedIn = await obeyHints(login);
  // That server changes to another authorization server once it has seen a token: within the check that ends a sign-in.
  if (signedIn.code === refusedCode && scenario === "auth/authorization-server-migration") {
    signedIn = await obeyHints(login);
  }
  if (signedIn.code !== 0) return signedIn.code;
  const shown = await obeyHints(["inspect", "--url", url!]);
  if (shown.code !== 0) return shown.code;
  const target = /\S*\btest-tool\b/u.exec(shown.stdout)?.[0];
  if (target === undefined) throw new Error(`No tool in ${shown.stdout}`);
  const called = await obeyHints(["run", target, "--url", url!]);
  return called.code;
}

/** The options of the sign-in that a scenario is about. */
function waysOf(name: string): string[] {
  const given: Readonly<Record<string, string | undefined>> = JSON.parse(context ?? "{}");
  const options: string[] = [];
  if (name === "auth/basic-cimd") options.push("--client-id", clientMetadataUrl);
  const file = (option: string, content: string): void => {
    const path = join(home.folder, option.slice(2));
    writeFileSync(path, content, { mode: 0o600 });
    options.push(option, path);
  };
  const { client_id: id, client_secret: secret, private_key_pem: key } = given;
  if (id !== undefined) options.push("--client-id", id);
  if (secret !== undefined) file("--client-secret-file", secret);
  if (key !== undefined) file("--client-key", key);
  const asProgram = name.startsWith("auth/client-credentials-");
  return [asProgram ? "--client-credentials" : "--web", ...options];
}

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command; while it is refused with the command that signs in as its hint, that one, and it again. */
async function obeyHints(args: readonly string[]): Promise<Ended> {
  for (;;) {
    const ended = await agent(args);
    const hint = signInCommandIn(ended.stderr);
    if (ended.code !== refusedCode || hint === undefined || signIns >= mostSignIns) return ended;
    const again = await agent(hint);
    if (again.code !== 0) return again;
    if (args[0] === "auth") return again;
  }
}

async function agent(args: readonly string[]): Promise<Ended> {
  if (over) throw new Error("Ended by the suite");
  if (args[0] === "auth") signIns += 1;
  const child = spawn(node!, [mainFile!, ...args], {
    cwd: home.folder,
    env: { ...home.env, DISPLAY: process.env["DISPLAY"] },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running = child;
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code]: unknown[] = await ended;
  console.log(`$ agent ${args.join(" ")}\n${stdout}`);
  console.error(`$ agent ${args.join(" ")}\n${stderr}ended with ${String(code)}`);
  if (code !== 0 && code !== refusedCode) throw new Error(`It ended with ${String(code)}`);
  if (suitesTokens.test(stdout + stderr)) throw new Error("It showed a token");
  return { code, stdout, stderr };
}

/** The words after `agent` of the first hint that is a whole sign-in command. */
function signInCommandIn(stderr: string): string[] | undefined {
  const command = /^hint: (?:.*[:,] )?agent (auth login .+)$/mu.exec(stderr)?.[1];
  const words = command?.match(/"[^"]*"|'[^']*'|\S+/gu);
  return words?.map((word) => word.replace(/^(["'])(.*)\1$/u, "$2"));
}
