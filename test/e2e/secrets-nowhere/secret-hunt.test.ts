import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createHome } from "../support/home.ts";
import { SecretHunt } from "./secret-hunt.ts";
import { watchProcesses } from "./watch-processes.ts";
import { watchLife } from "./watched-life.ts";

// The search finds what is planted.

const secret = "planted-secret/with+all~sorts_77777777";
const hunt = new SecretHunt();
hunt.add("planted", secret);
const found = (text: string): number =>
  hunt.findIn([{ place: "here", text: Buffer.from(text) }]).length;

test.each([
  ["as it is", `Authorization: Bearer ${secret}\n`],
  ["cut off at its front", `…${secret.slice(-14)}`],
  ["in a URL", `/mcp?token=${encodeURIComponent(secret)}`],
  ["in Basic", Buffer.from(`robot:${secret}`).toString("base64")],
  ["in Basic of a longer name", Buffer.from(`robots:${secret}`).toString("base64")],
  ["in base64url", Buffer.from(`x${secret}y`).toString("base64url")],
  ["in hex", Buffer.from(secret).toString("hex")],
  ["within bytes", `\u0000\u0001${secret}\u0000`],
])("%s", (_, text) => {
  expect(found(text)).toBeGreaterThan(0);
});

test("and nothing else, the four characters at its end among it", () => {
  expect(found(`token    …${secret.slice(-4)}`)).toBe(0);
});

test("in a file, and on the command line of what a process starts", async () => {
  const home = createHome();
  const planted = watchLife(home);
  planted.hunt.add("planted", secret);
  mkdirSync(home.stateDir, { recursive: true });
  writeFileSync(join(home.stateDir, "planted.log"), secret);
  planted.lookAtFiles();
  expect(planted.hunt.findIn(planted.traces)).toContain(
    ".local/state/onedoor/planted.log: planted, as it is",
  );
  planted.remove();
  home.remove();

  const sleeper = `"${process.execPath}" -e "process.stdin.resume()" ${secret} & wait`;
  const child = spawn("sh", ["-c", 'read -r line; eval "$line"'], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const over = new Promise((resolve) => {
    child.once("close", resolve);
  });
  const watched = watchProcesses(child.pid ?? -1, over);
  child.stdin.end(`exec 3<&0; ${sleeper}\n`);
  expect(hunt.findIn(await watched).join()).toContain("/cmdline: planted");
});
