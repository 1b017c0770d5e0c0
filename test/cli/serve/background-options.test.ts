import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  readStartOptions,
  rememberStartOptions,
} from "../../../src/cli/serve/background-options.ts";
import { childEnvironment } from "../../../src/cli/serve/serve-background.ts";
import { makeStateDirectory } from "../../../src/cli/serve/state-directory.ts";

const me = process.getuid?.() ?? 0;
const nothing = { insecureHttp: false };
const options = { ...nothing, host: "127.0.0.1", port: 3051, auth: "local" };

let folder: string;
let state: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-state-"));
  state = join(folder, "state");
  file = join(state, "background.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("what a gateway in the background was started with", () => {
  test("is read as it was written, in a file and a directory for the owner alone", async () => {
    await rememberStartOptions(state, options);
    expect(await readStartOptions(state)).toMatchObject(options);
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("is nothing where none was, or where it cannot be understood", async () => {
    expect(await readStartOptions(state)).toEqual(nothing);
    mkdirSync(state, { mode: 0o700 });
    expect(await readStartOptions(state)).toEqual(nothing);
    writeFileSync(file, "{", { mode: 0o600 });
    expect(await readStartOptions(state)).toEqual(nothing);
  });

  test("replaces a link that lies there, and leaves alone what it leads to", async () => {
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(join(folder, "other"), "precious");
    symlinkSync(join(folder, "other"), file);
    await rememberStartOptions(state, options);
    expect(lstatSync(file).isFile()).toBe(true);
    expect(readFileSync(join(folder, "other"), "utf8")).toBe("precious");
  });

  test.each<[string, () => void, string]>([
    ["a link", () => symlinkSync(planted(), file), "is a link"],
    ["a folder", () => mkdirSync(file), "is no regular file"],
    ["writable by others", () => chmodSync(planted(file), 0o602), "may be written by others"],
    ["too long", () => writeFileSync(file, " ".repeat(70_000)), "is too long"],
    ["in an open directory", () => chmodSync(state, 0o777), "others may write"],
    ["in a directory of its group", () => chmodSync(state, 0o770), "others may write"],
  ])("is not obeyed when it is %s", async (_what, plant, said) => {
    mkdirSync(state, { mode: 0o700 });
    plant();
    await expect(readStartOptions(state)).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringContaining(said),
    });
  });

  const anothers = { code: "config_invalid", message: expect.stringContaining("another user") };

  test("is not obeyed when another user wrote it", async () => {
    mkdirSync(state, { mode: 0o700 });
    planted(file);
    // Root can give it away; for anybody else somebody else asks.
    if (me === 0) chownSync(file, 12_345, 12_345);
    const asks = me === 0 ? me : me + 1;
    await expect(readStartOptions(state, asks)).rejects.toMatchObject(anothers);
  });

  test("is not obeyed when another user owns the directory", async () => {
    mkdirSync(state, { mode: 0o700 });
    planted(file);
    await expect(readStartOptions(state, me + 1)).rejects.toMatchObject(anothers);
  });
});

/** A file that names somebody's configuration. */
function planted(path = join(folder, "planted.json")): string {
  writeFileSync(path, JSON.stringify({ config: "/tmp/evil.json" }), { mode: 0o600 });
  return path;
}

test("a state directory that others may write is refused before anything is started", async () => {
  mkdirSync(state);
  chmodSync(state, 0o777);
  await expect(makeStateDirectory(state)).rejects.toMatchObject({ code: "config_invalid" });
});

test("the gateway in the background inherits all but the bearer", () => {
  const all = { PATH: "/bin", ONEDOOR_TOKEN: "secret", ONEDOOR_PORT: "1", KEY: "k" };
  expect(childEnvironment(all)).toEqual({ PATH: "/bin", ONEDOOR_PORT: "1", KEY: "k" });
});
