import { describe, expect, test } from "vitest";
import { resolveDirectories } from "../../src/config/directories.ts";
import { readEnvironment } from "../../src/config/environment.ts";

const resolve = (
  all: Record<string, string>,
  platform: NodeJS.Platform = "linux",
  configDir?: string,
) => resolveDirectories(configDir, readEnvironment(all), platform);

describe("directories", () => {
  test("follow XDG on Linux", () => {
    expect(resolve({ HOME: "/h" })).toEqual({
      config: "/h/.config/onedoor",
      state: "/h/.local/state/onedoor",
    });
    expect(resolve({ HOME: "/h", XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s" })).toEqual({
      config: "/c/onedoor",
      state: "/s/onedoor",
    });
  });

  test("ignore a relative XDG variable, as the specification demands", () => {
    expect(resolve({ HOME: "/h", XDG_CONFIG_HOME: "c", XDG_STATE_HOME: "./s" })).toEqual(
      resolve({ HOME: "/h" }),
    );
  });

  test.each([
    [{ HOME: "", USERPROFILE: "h" }],
    [{ HOME: "h" }],
    [{ HOME: "./h", XDG_CONFIG_HOME: "/c" }],
    [{ HOME: "h", XDG_CONFIG_HOME: "c", XDG_STATE_HOME: "s" }],
  ])("are never taken relative to where a command runs: %j", (all) => {
    expect(() => resolve(all)).toThrow(
      expect.objectContaining({ code: "usage", hint: expect.stringContaining("--config-dir") }),
    );
    expect(resolve({ ...all, XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s" })).toMatchObject({
      config: "/c/onedoor",
    });
    expect(resolve(all, "linux", "given").config).toBe(process.cwd() + "/given");
  });

  test("are the platform's own on macOS and Windows", () => {
    expect(resolve({ HOME: "/h" }, "darwin").config).toBe("/h/Library/Application Support/onedoor");
    expect(resolve({ APPDATA: "/r", LOCALAPPDATA: "/l" }, "win32")).toEqual({
      config: "/r/onedoor",
      state: "/l/onedoor",
    });
  });

  test("all lie below --config-dir, which wins over its environment twin", () => {
    const all = { HOME: "/h", ONEDOOR_CONFIG_DIR: "/twin", XDG_STATE_HOME: "/s" };
    expect(resolve(all)).toEqual({ config: "/twin", state: "/twin/state" });
    expect(resolve(all, "linux", "/given")).toEqual({ config: "/given", state: "/given/state" });
  });
});

describe("environment", () => {
  test("an empty variable counts as not set, an unknown one breaks nothing", () => {
    const environment = readEnvironment({
      ONEDOOR_URL: "",
      ONEDOOR_PROFILE: "x",
      ONEDOOR_WHATEVER: "1",
    });
    expect(environment.url).toBeUndefined();
    expect(environment.profile).toBe("x");
  });

  test.each([
    [{}, false],
    [{ CI: "1" }, true],
    [{ NO_COLOR: "1" }, true],
    [{ TERM: "dumb" }, true],
    [{ CI: "", NO_COLOR: "", TERM: "xterm" }, false],
  ])("%j asks for plain output: %s", (all, plain) => {
    expect(readEnvironment(all).plainOutput).toBe(plain);
  });
});
