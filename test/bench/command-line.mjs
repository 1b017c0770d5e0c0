import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startGateway, token } from "./gateway.mjs";
import { threeStdioServers } from "./real-servers.mjs";
import { runProgram } from "./run-program.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const mainFile = join(root, "dist", "main.js");

/** @typedef {{name: string, args: string[], mostTime: number, isRight: (stdout: string) => boolean}} Command */

/**
 * What people type all day, what it may cost in times of `node -e 0`, and how its answer is known.
 * @type {readonly Command[]}
 */
export const commands = [
  {
    name: "agent --version",
    args: ["--version"],
    mostTime: 1.15,
    isRight: (stdout) => stdout === `${versionOf(root)}\n`,
  },
  {
    name: "agent --help",
    args: ["--help"],
    mostTime: 1.5,
    isRight: (stdout) => stdout.startsWith("Usage: agent <command>") && stdout.includes("inspect"),
  },
  {
    name: "agent auth --help",
    args: ["auth", "--help"],
    mostTime: 1.5,
    isRight: (stdout) => stdout.startsWith("Usage: agent auth <command>"),
  },
  {
    name: "agent auth status",
    args: ["auth", "status"],
    mostTime: 1.8,
    isRight: (stdout) => /^result +ok$/mu.test(stdout) && /^store +file$/mu.test(stdout),
  },
  {
    name: "agent inspect",
    args: ["inspect"],
    mostTime: 1.9,
    isRight: (stdout) =>
      ["everything", "filesystem", "memory"].every((name) =>
        new RegExp(`^${name} +ready +[1-9]`, "mu").test(stdout),
      ),
  },
  {
    name: "agent run everything/echo message=hi",
    args: ["run", "everything/echo", "message=hi"],
    mostTime: 1.9,
    isRight: (stdout) => stdout === "Echo: hi\n",
  },
];

/**
 * A gateway with three real servers, and a home of its own that has signed in to it: the built program as a
 * person has it, without a keychain.
 * @param {<Kept extends import("./keep-until-end.mjs").Stoppable>(started: Kept) => Kept} keep
 */
export async function openCommandLine(keep) {
  const servers = threeStdioServers();
  keep({ stop: () => servers.remove() });
  const gateway = keep(await startGateway(servers.mcpServers));
  const home = mkdtempSync(join(tmpdir(), "onedoor-bench-home-"));
  keep({ stop: () => rmSync(home, { recursive: true, force: true }) });
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    TMPDIR: tmpdir(),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(home, "no-bus")}`,
    LANG: "C.UTF-8",
  };
  /** @param {readonly string[]} args */
  const node = (args) => runProgram(process.execPath, args, { cwd: home, env });
  await gateway.ready();
  const url = `http://127.0.0.1:${gateway.port}`;
  await node([mainFile, "auth", "login", "--url", url, "--token", token]);
  return {
    /** `node -e 0`, which everything is compared with. @param {readonly string[]} [flags] of Node */
    bare: (flags = []) => node([...flags, "-e", "0"]),
    /**
     * Rejects when it fails or answers wrong: neither is fast.
     * @param {Command} command @param {readonly string[]} [flags] of Node
     */
    async agent({ name, args, isRight }, flags = []) {
      const result = await node([...flags, mainFile, ...args]);
      if (!isRight(result.stdout)) throw new Error(`${name}: a wrong answer:\n${result.stdout}`);
      return result;
    },
  };
}

/** @param {string} folder of a package @returns {string} */
function versionOf(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}
