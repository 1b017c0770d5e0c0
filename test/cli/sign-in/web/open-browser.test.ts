import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { browserCommand, openBrowser } from "../../../../src/cli/sign-in/web/open-browser.ts";
import { readEnvironment } from "../../../../src/config/environment.ts";

const url = "https://as.example/authorize?a=1&b=$(touch%20x);`id`|'\"&c=%41%$HOME!*#end";

describe("the program that opens an address", () => {
  const choose = (variables: Record<string, string>, platform: NodeJS.Platform) =>
    browserCommand(url, readEnvironment(variables).browser, platform);

  it.each([
    ["linux", { DISPLAY: ":0" }, ["xdg-open", url]],
    ["linux", { WAYLAND_DISPLAY: "wayland-0" }, ["xdg-open", url]],
    ["linux", {}, undefined],
    ["linux", { DISPLAY: "" }, undefined],
    ["freebsd", { DISPLAY: ":0" }, ["xdg-open", url]],
    ["darwin", {}, ["/usr/bin/open", url]],
    [
      "win32",
      { SystemRoot: String.raw`D:\Win` },
      [String.raw`D:\Win\System32\rundll32.exe`, "url.dll,FileProtocolHandler", url],
    ],
    [
      "win32",
      {},
      [String.raw`C:\Windows\System32\rundll32.exe`, "url.dll,FileProtocolHandler", url],
    ],
  ] as const)("is the platform's on %s with %o", (platform, variables, command) => {
    expect(choose(variables, platform)).toEqual(command);
  });

  it.each(["firefox", "/opt/my_browser-1.2/bin/x"])(
    "is what BROWSER names, also without a screen: %s",
    (named) => {
      expect(choose({ BROWSER: named }, "linux")).toEqual([named, url]);
    },
  );

  it.each([
    "firefox --new-window",
    "firefox %s",
    "firefox:chromium",
    "sh -c 'evil'",
    "a;b",
    "$(id)",
    "a|b",
  ])("is not what BROWSER says where that is more than one program: %s", (named) => {
    expect(choose({ BROWSER: named }, "linux")).toBeUndefined();
    expect(choose({ BROWSER: named, DISPLAY: ":0" }, "linux")).toEqual(["xdg-open", url]);
  });
});

describe("opening an address", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "onedoor-browser-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** A program that writes down what it was started with. */
  function program(name: string, script: string): void {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  function open(variables: Record<string, string>, whenItFails: () => void): boolean {
    const all = { PATH: `${folder}:/usr/bin:/bin`, ...variables };
    return openBrowser(url, readEnvironment(all), whenItFails, "linux");
  }

  const failure = (variables: Record<string, string>): Promise<string> =>
    new Promise((resolve, reject) => {
      if (!open(variables, () => resolve("failed"))) reject(new Error("nothing to start"));
    });

  async function written(name: string): Promise<string> {
    const file = join(folder, name);
    await new Promise<void>((resolve) => {
      const watcher = watch(folder, look);
      function look(): void {
        if (!existsSync(file)) return;
        watcher.close();
        resolve();
      }
      look();
    });
    return readFileSync(file, "utf8");
  }

  it("hands it over as one argument, to the letter, with nothing of ours in the environment", async () => {
    program(
      "xdg-open",
      `cd '${folder}' && { printf '%s\\n' "$#" "$@"; env | grep -c '^ONEDOOR_' ; } > began; mv began seen`,
    );
    const variables = { DISPLAY: ":0", ONEDOOR_TOKEN: "secret", ONEDOOR_URL: "https://x.example" };
    expect(open(variables, () => undefined)).toBe(true);
    expect(await written("seen")).toBe(`1\n${url}\n0\n`);
    expect(existsSync(join(folder, "x"))).toBe(false);
  });

  it("starts nothing where there is no screen", () => {
    program("xdg-open", `touch '${folder}/started'`);
    expect(open({}, () => undefined)).toBe(false);
    expect(existsSync(join(folder, "started"))).toBe(false);
  });

  it("tells of a program that is missing, and of one that fails", async () => {
    expect(await failure({ BROWSER: "no-such-browser" })).toBe("failed");
    program("xdg-open", "echo noise; echo noise >&2; exit 3");
    expect(await failure({ DISPLAY: ":0" })).toBe("failed");
    program("kills-itself", "kill -9 $$");
    expect(await failure({ BROWSER: join(folder, "kills-itself") })).toBe("failed");
  });

  it("tells of one that may not be started", async () => {
    writeFileSync(join(folder, "plain-file"), "no program");
    expect(await failure({ BROWSER: join(folder, "plain-file") })).toBe("failed");
  });
});
