import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
 * The certificates that people behind a proxy of their company have Node add to its own; undefined where there are
 * none. Node 20 reads and parses all of them at each start, before the first line of a program: some 40 ms for the
 * bundle of a distribution, which `node -e 0` pays like any other program.
 */
export const extraCertificates = process.env["NODE_EXTRA_CA_CERTS"];

/**
 * A gateway with three real servers, and a home of its own that has signed in to it: the built program as a
 * person has it, without a keychain.
 * @param {<Kept extends import("./keep-until-end.mjs").Stoppable>(started: Kept) => Kept} keep
 * @param {string} [certificates] NODE_EXTRA_CA_CERTS of all that is run; "" for none
 */
export async function openCommandLine(keep, certificates = extraCertificates ?? "") {
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
    ...(certificates && { NODE_EXTRA_CA_CERTS: certificates }),
  };
  /** @param {readonly string[]} args */
  const node = (args) => runProgram(process.execPath, args, { cwd: home, env });
  await gateway.ready();
  const url = `http://127.0.0.1:${gateway.port}`;
  await node([mainFile, "auth", "login", "--url", url, "--token", token]);
  const floor = join(home, "floor.cjs");
  writeFileSync(floor, floorProgram(gateway.port, join(home, ".config")));
  return {
    /** What no command that asks the gateway can do without: a file read and one request by node:http. */
    floor: () => node([floor]),
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

/** @param {number} port @param {string} folder */
function floorProgram(port, folder) {
  return `require("node:fs").readdirSync(${JSON.stringify(folder)});
require("node:http").get("http://127.0.0.1:${port}/health", { agent: false }, (answer) => {
  if (answer.statusCode !== 200) process.exitCode = 1;
  answer.resume();
});
`;
}

/** @param {string} folder of a package @returns {string} */
function versionOf(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}
