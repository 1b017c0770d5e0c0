import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  chown,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  readRuntimeFile,
  removeRuntimeFile,
  runtimeFilePath,
  writeRuntimeFile,
} from "../../src/runtime/runtime-file.ts";
import type { RuntimeRecord } from "../../src/runtime/runtime-record.ts";

let home: string;
let state: string;
let file: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "onedoor-runtime-"));
  state = join(home, "state");
  file = runtimeFilePath(state);
});
afterEach(() => rm(home, { recursive: true, force: true }));

function record(changes: Partial<RuntimeRecord> = {}): RuntimeRecord {
  return {
    pid: process.pid,
    url: "http://127.0.0.1:3050",
    instanceId: "5f0c1d0e-0000-4000-8000-000000000000",
    startedAtMs: 1_764_000_000_000,
    secret: randomBytes(32).toString("base64url"),
    ...changes,
  };
}

/** Rewrites fields of the file in its place, as only its owner could. */
async function alter(changes: Record<string, unknown>): Promise<void> {
  const content: unknown = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify(Object.assign({}, content, changes)));
}

const untrusted = (reason: string) => ({ kind: "untrusted", reason });

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe("what is written", () => {
  test("is 0600 in a 0700 directory, whatever the umask, and leaves nothing beside it", async () => {
    const before = process.umask(0o277);
    try {
      await writeRuntimeFile(state, record());
    } finally {
      process.umask(before);
    }
    expect(await modeOf(file)).toBe(0o600);
    expect(await readdir(state)).toStrictEqual(["server.json"]);
  });

  test("is found again, every field, and without what only the file needs", async () => {
    const mine = record({ url: "http://[::1]:3050" });
    await writeRuntimeFile(state, mine);
    expect(await readRuntimeFile(state)).toStrictEqual({ kind: "running", record: mine });
  });

  test("tightens a directory that was open", async () => {
    await mkdir(state);
    await chmod(state, 0o777);
    await writeRuntimeFile(state, record());
    expect(await modeOf(state)).toBe(0o700);
  });

  test("replaces an older file, and a link in its place without following it", async () => {
    const elsewhere = join(home, "precious");
    await writeFile(elsewhere, "precious");
    await mkdir(state);
    await symlink(elsewhere, file);
    await writeRuntimeFile(state, record());
    const second = record();
    await writeRuntimeFile(state, second);
    expect(await readFile(elsewhere, "utf8")).toBe("precious");
    expect(await readRuntimeFile(state)).toStrictEqual({ kind: "running", record: second });
  });

  test.each(["http://localhost:3050", "http://192.0.2.1:3050", "https://127.0.0.1:3050"])(
    "is refused for %s",
    async (url) => {
      await expect(writeRuntimeFile(state, record({ url }))).rejects.toMatchObject({
        code: "config_invalid",
      });
    },
  );
});

describe("removal", () => {
  test("takes away one's own file", async () => {
    const mine = record();
    await writeRuntimeFile(state, mine);
    await removeRuntimeFile(state, mine);
    expect(await readRuntimeFile(state)).toStrictEqual({ kind: "absent" });
    await removeRuntimeFile(state, mine);
  });

  test("leaves the file of another gateway", async () => {
    const other = record();
    await writeRuntimeFile(state, other);
    await removeRuntimeFile(state, record());
    expect(await readRuntimeFile(state)).toStrictEqual({ kind: "running", record: other });
  });
});

describe("what is not there", () => {
  test("is absent", async () => {
    expect(await readRuntimeFile(state)).toStrictEqual({ kind: "absent" });
    expect(await readRuntimeFile(join(home, "nothing", "at", "all"))).toStrictEqual({
      kind: "absent",
    });
  });
});

describe("what is not to be trusted", () => {
  beforeEach(() => writeRuntimeFile(state, record()));

  test("a symbolic link, even to a good file", async () => {
    const real = join(state, "real.json");
    await rename(file, real);
    await symlink(real, file);
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is a symbolic link"));
  });

  test("a hard link", async () => {
    await link(file, join(state, "second-name.json"));
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("has a second name (hard link)"));
  });

  test("a copy, even one of the same user with the right mode", async () => {
    const other = join(home, "other");
    await mkdir(other, { mode: 0o700 });
    await copyFile(file, runtimeFilePath(other));
    await chmod(runtimeFilePath(other), 0o600);
    expect(await readRuntimeFile(other)).toStrictEqual(untrusted("is a copy of a runtime file"));
  });

  test.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])("mode %o", async (mode) => {
    await chmod(file, mode);
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is open to group or others"));
  });

  test("the file of another user", async () => {
    const uid = process.getuid?.() ?? 0;
    if (isRoot) {
      await chown(file, nobody, nobody);
    }
    // Who is not root cannot give a file away, but can ask as somebody else would.
    const asked = isRoot ? uid : uid + 1;
    expect(await readRuntimeFile(state, { uid: asked })).toStrictEqual(
      untrusted("belongs to another user"),
    );
  });

  test("a file that this user may not read", async () => {
    if (isRoot) {
      process.seteuid?.(nobody);
    } else {
      await chmod(file, 0o000);
    }
    try {
      expect(await readRuntimeFile(state)).toStrictEqual(untrusted("cannot be opened (EACCES)"));
    } finally {
      if (isRoot) {
        process.seteuid?.(0);
      }
    }
  });

  test("the directory of another user", async () => {
    const uid = process.getuid?.() ?? 0;
    if (isRoot) {
      await chown(file, nobody + 1, nobody + 1);
      await chown(state, nobody, nobody);
    }
    const asked = isRoot ? nobody + 1 : uid + 1;
    expect(await readRuntimeFile(state, { uid: asked })).toStrictEqual(
      untrusted(isRoot ? "lies in a directory of another user" : "belongs to another user"),
    );
  });

  test.each([0o770, 0o702, 0o777, 0o1777])("a directory of mode %o", async (mode) => {
    await chmod(state, mode);
    expect(await readRuntimeFile(state)).toStrictEqual(
      untrusted("lies in a directory that others can write"),
    );
  });

  test("a directory in its place, a pipe that nobody writes to", async () => {
    await rm(file);
    await mkdir(file);
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is not a regular file"));
    await rm(file, { recursive: true });
    await promisify(execFile)("mkfifo", ["-m", "600", file]);
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is not a regular file"));
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "{}",
    `{"version":1,"pid":1,"padding":"${"x".repeat(4096)}"}`,
  ])("content %j", async (content) => {
    await writeFile(file, content);
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is not a runtime file"));
  });

  test("a good record that goes on and on", async () => {
    await writeFile(file, `${await readFile(file, "utf8")}${" ".repeat(4096)}`);
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is not a runtime file"));
  });

  test.each([
    { version: 2 },
    { pid: 0 },
    { pid: -1 },
    { pid: 1.5 },
    { pid: "1" },
    { url: 1 },
    { instanceId: "a b" },
    { startedAtMs: "now" },
    { secret: "short" },
    { secret: `${"a".repeat(42)}!` },
    { processStart: 1 },
    { inode: null },
  ])("the field %j", async (changes) => {
    await alter(changes);
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is not a runtime file"));
  });

  test.each([
    "http://localhost:3050",
    "http://example.org:3050",
    "http://10.0.0.1:3050",
    "http://0.0.0.0:3050",
    "http://127.0.0.1:3050/path",
    "http://127.0.0.1:3050@example.org",
    "http://user@127.0.0.1:3050",
    "http://127.0.0.1",
    "http://127.0.0.1:0",
    "http://127.0.0.1:70000",
    "http://127.0.0.999:3050",
    "http://[::ffff:127.0.0.1]:3050",
    "file:///etc/passwd",
  ])("the address %s", async (url) => {
    await alter({ url });
    expect(await readRuntimeFile(state)).toStrictEqual(
      untrusted("does not name a loopback address"),
    );
  });
});

describe("a gateway with TLS", () => {
  const url = "https://[::1]:3050";
  const certificates = ["0a".repeat(32), "f1".repeat(32)];

  test("is found with the certificates it may show", async () => {
    const mine = record({ url, certificates });
    await writeRuntimeFile(state, mine);
    expect(await readRuntimeFile(state)).toStrictEqual({ kind: "running", record: mine });
  });

  test.each([
    ["no list", "0a".repeat(32)],
    ["an empty list, as good as none", []],
    ["another hash", ["0a".repeat(20)]],
    ["capitals, which nothing is compared with", ["0A".repeat(32)]],
    ["what is no text", [1]],
    ["more than anybody needs", Array.from({ length: 9 }, () => "0a".repeat(32))],
  ])("is not found with %s", async (_what, wrong) => {
    await writeRuntimeFile(state, record({ url, certificates }));
    await alter({ certificates: wrong });
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is not a runtime file"));
  });

  test("is not found without any: whoever dials it would take whatever is shown", async () => {
    await writeRuntimeFile(state, record({ url, certificates }));
    await alter({ certificates: undefined });
    expect(await readRuntimeFile(state)).toStrictEqual(untrusted("is not a runtime file"));
  });
});

describe("what is stale", () => {
  test("the file of a process that has ended", async () => {
    const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
    const pid = child.pid ?? 0;
    await once(child, "exit");
    const mine = record({ pid });
    await writeRuntimeFile(state, mine);
    expect(await readRuntimeFile(state)).toStrictEqual({
      kind: "stale",
      reason: `process ${pid} has ended`,
      record: mine,
    });
  });

  test("the pid that another process has by now, where the system tells (Linux)", async () => {
    const mine = record();
    await writeRuntimeFile(state, mine);
    await alter({ processStart: "another boot/1" });
    const reason = `process ${process.pid} is another one by now`;
    expect(await readRuntimeFile(state)).toStrictEqual(
      process.platform === "linux"
        ? { kind: "stale", reason, record: mine }
        : { kind: "running", record: mine },
    );
  });
});
