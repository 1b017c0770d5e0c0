import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendJson, startFakeServer } from "../client/support/fake-server.ts";
import type { FakeServer } from "../client/support/fake-server.ts";
import { mainFile, runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

const token = "od_token_of_the_broken_key_ring";
const other = "od_other_token_for_the_same_place";
let home: Home;
let server: FakeServer;
let second: FakeServer;

/** A gateway that knows two tokens. */
function startDoor(): Promise<FakeServer> {
  return startFakeServer(({ path, headers }, response) => {
    const good = [token, other].some((known) => headers.authorization === `Bearer ${known}`);
    if (path === "/status") sendJson(response, 200, { name: "onedoor" });
    else if (path === "/auth") {
      sendJson(response, 200, { required: true, ways: [{ type: "token", description: "" }] });
    } else if (path === "/auth/status" && good) {
      sendJson(response, 200, { authenticated: true, user: { id: "a", name: "alice" } });
    } else if (path === "/auth/logout" && good) sendJson(response, 200, { revoked: true });
    else sendJson(response, 401, {});
  });
}

beforeEach(async () => {
  home = createHome();
  server = await startDoor();
  second = await startDoor();
});
afterEach(async () => {
  await server.close();
  await second.close();
  home.remove();
});

const agent = (args: string, stdin?: string): Promise<AgentResult> =>
  runAgent(args.split(" "), { home, ...(stdin !== undefined && { stdin: { text: stdin } }) });
const login = (url = server.url, secret = token): Promise<AgentResult> =>
  agent(`auth login --url ${url}`, secret);
const profiles = (): string => join(home.configDir, "profiles");
const secrets = (): string => join(home.configDir, "secrets");
const only = (folder: string): string => join(folder, readdirSync(folder)[0] ?? "");

/** Every run's output holds no token. */
function expectQuiet({ stdout, stderr }: AgentResult): void {
  expect(stdout + stderr).not.toContain(token);
  expect(stdout + stderr).not.toContain(other);
}

/** The profile of `server` is as it was signed in. */
async function expectUntouched(): Promise<void> {
  expect((await agent(`auth token --url ${server.url}`)).stdout).toBe(`${token}\n`);
}

describe("a profile's file that is none", () => {
  test.each([
    ["torn", (path: string) => writeFileSync(path, "{ torn", { mode: 0o600 })],
    [
      "a link",
      (path: string) => {
        renameSync(path, `${home.folder}/elsewhere.json`);
        symlinkSync(`${home.folder}/elsewhere.json`, path);
      },
    ],
    [
      "a directory",
      (path: string) => {
        rmSync(path);
        mkdirSync(join(path, "something"), { recursive: true });
      },
    ],
  ])("%s: said, set aside with what it holds; the others go on", async (_, spoil) => {
    await login();
    const path = only(profiles());
    await login(second.url);
    spoil(path);
    const status = await agent("auth status --all");
    expect(status).toMatchObject({ code: 0 });
    expect(status.stderr).toMatch(/its content is kept in .*\.corrupt-/u);
    expect(status.stdout).toContain(second.url);
    expect(status.stdout).not.toContain(`${server.url} `);
    expectQuiet(status);
    // Said once; signing in again makes it anew.
    expect((await agent("auth status --all")).stderr).not.toContain("corrupt");
    expect((await login()).code).toBe(0);
    await expectUntouched();
    const gone = await agent("auth logout --all --json");
    expect(gone).toMatchObject({ code: 0 });
    expect(JSON.parse(gone.stdout)).toMatchObject({ removed: 2 });
    expect(readdirSync(secrets())).toEqual([]);
  });
});

describe("a secret's file that is none", () => {
  test.each([
    [
      "a link",
      "is a link",
      (path: string) => {
        renameSync(path, `${home.folder}/elsewhere`);
        symlinkSync(`${home.folder}/elsewhere`, path);
      },
    ],
    [
      "a directory",
      "is no file",
      (path: string) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    ["torn", "is no token", (path: string) => writeFileSync(path, 'od1 {"token":"od_t')],
    ["endless", "is too long", (path: string) => writeFileSync(path, "x".repeat(70_000))],
  ])("%s: said, exit 4, never shown to a server; it can be signed out", async (_, said, spoil) => {
    await login();
    spoil(only(secrets()));
    const used = await agent("auth token");
    expect(used).toMatchObject({
      code: 4,
      stdout: "",
      stderr: expect.stringContaining("is no longer in its store"),
    });
    expect(used.stderr).toContain(said);
    expect(used.stderr).toContain(`agent auth login --url ${server.url}`);
    expectQuiet(used);
    expect(JSON.parse((await agent("auth status --json")).stdout)).toMatchObject([
      { result: "missing" },
    ]);
    expect((await agent("auth logout --all")).code).toBe(0);
    expect(readdirSync(profiles())).toEqual([]);
  });
});

test("modes that others could read by are mended, and that is said", async () => {
  await login();
  chmodSync(only(profiles()), 0o644);
  chmodSync(only(secrets()), 0o666);
  chmodSync(profiles(), 0o777);
  const { code, stderr } = await agent("auth status");
  expect(code).toBe(0);
  for (const mode of ["0644", "0666", "0777"]) {
    expect(stderr).toContain(`was open to others (mode ${mode})`);
  }
  expect(statSync(only(secrets())).mode & 0o777).toBe(0o600);
  expect((await agent("auth status")).stderr).not.toContain("open to others");
});

test("without a home, nothing is kept where a command happens to run", async () => {
  const { code, stderr } = await runAgent(["auth", "login", "--url", server.url], {
    home,
    env: { HOME: "", XDG_CONFIG_HOME: undefined, XDG_STATE_HOME: undefined },
    cwd: home.folder,
    stdin: { text: token },
  });
  expect(code).toBe(2);
  expect(stderr).toContain("--config-dir");
  expect(contents(home.folder)).toEqual([]);
});

test("a configuration directory behind a link, as dotfiles have it, is used", async () => {
  const real = join(home.folder, "dotfiles");
  mkdirSync(real, { mode: 0o755 });
  mkdirSync(join(home.folder, ".config"), { recursive: true });
  symlinkSync(real, home.configDir);
  expect((await login()).code).toBe(0);
  await expectUntouched();
  expect(statSync(join(real, "secrets")).mode & 0o777).toBe(0o700);
  expect((await agent("auth logout --all")).code).toBe(0);
  expect(readdirSync(join(real, "secrets"))).toEqual([]);
});

describe("a home that cannot be written", () => {
  /** Another user than root, whom modes do not bind. */
  const nobody = { uid: 65_534, gid: 65_534 };
  const asNobody = (args: string, input = ""): { code: number | null; stderr: string } => {
    const { status, stderr } = spawnSync(process.execPath, [mainFile, ...args.split(" ")], {
      env: home.env,
      input,
      encoding: "utf8",
      ...(process.getuid?.() === 0 && nobody),
    });
    return { code: status, stderr };
  };

  test.each([
    ["of somebody else", "permission denied (EACCES)", () => chmodSync(home.folder, 0o555)],
    [
      "with a file in the way",
      "no directory (ENOTDIR)",
      () => {
        writeFileSync(join(home.folder, ".config"), "");
        chmodSync(home.folder, 0o555);
      },
    ],
  ])("%s: said, exit 1", (_, said, spoil) => {
    spoil();
    const { code, stderr } = asNobody("auth login --url https://gw.example.com --no-verify", token);
    chmodSync(home.folder, 0o700);
    expect(stderr).toContain(said);
    expect(stderr).toContain("--config-dir");
    expect(stderr).not.toContain(token);
    expect(code).toBe(1);
  });

  test("that is missing is made", async () => {
    rmSync(home.folder, { recursive: true });
    const { code } = await runAgent(
      ["auth", "login", "--url", "https://gw.example.com", "--no-verify", "--token", token],
      { home, cwd: "/" },
    );
    expect(code).toBe(0);
    expect(statSync(join(home.folder, ".config", "onedoor", "secrets")).mode & 0o777).toBe(0o700);
  });

  test("that became so leaves what is saved usable, and untouched", async () => {
    await login();
    if (process.getuid?.() === 0) {
      spawnSync("chown", ["-R", `${nobody.uid}:${nobody.gid}`, home.folder]);
    }
    chmodSync(profiles(), 0o500);
    chmodSync(secrets(), 0o500);
    const again = asNobody(`auth login --url ${server.url} --no-verify`, other);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("permission denied") });
    expect(again.stderr).not.toContain(other);
    chmodSync(profiles(), 0o700);
    chmodSync(secrets(), 0o700);
    await expectUntouched();
  });
});

/**
 * Runs the program on a copy of the configuration that has no room left: root has a file system of 64 KiB that is
 * full, others may write no byte. What it looks like afterwards is in the folder `after`.
 */
function runOnFullDisk(args: string, input: string): { code: number | null; stderr: string } {
  const disk = home.configDir;
  const after = join(home.folder, "after");
  const run = `"$@"; code=$?; rm -f "${disk}/filler"; cp -a "${disk}" "${after}"; exit $code`;
  const fill = `cp -a "${disk}" "${disk}.kept" && mount -t tmpfs -o size=64k,mode=700 tmpfs "${disk}" &&
    cp -a "${disk}.kept/." "${disk}" && { cat /dev/zero > "${disk}/filler"; rm -rf "${disk}.kept"; }`;
  const program = [process.execPath, mainFile, ...args.split(" ")];
  const line =
    process.getuid?.() === 0
      ? ["unshare", "--mount", "sh", "-c", `{ ${fill}; } 2>/dev/null; ${run}`, "sh", ...program]
      : ["sh", "-c", run, "sh", "prlimit", "--fsize=0", ...program];
  const [command = "", ...rest] = line;
  const { status, stderr } = spawnSync(command, rest, {
    env: home.env,
    input,
    encoding: "utf8",
  });
  return { code: status, stderr };
}

/** Every file below a folder, with its text. */
function contents(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length), readFileSync(path, "utf8")];
    })
    .toSorted(([one], [two]) => (one < two ? -1 : 1));
}

describe("a full disk", () => {
  test("says so, exit 1; an older profile is untouched, and nothing half is left", async () => {
    await login();
    const { code, stderr } = runOnFullDisk(`auth login --url ${server.url} --no-verify`, other);
    expect(stderr).toMatch(/the disk is full \(ENOSPC\)|a file may not grow that long \(EFBIG\)/u);
    expect(stderr).not.toContain(other);
    expect(code).toBe(1);
    expect(contents(join(home.folder, "after"))).toEqual(contents(home.configDir));
    await expectUntouched();
  });

  test("keeps nobody from signing out", async () => {
    await login();
    expect(runOnFullDisk(`auth logout --url ${server.url}`, "")).toMatchObject({ code: 0 });
    expect(contents(join(home.folder, "after"))).toEqual([]);
  });
});
