import { describe, expect, test } from "vitest";
import { childEnvironment } from "../../src/config/child-environment.ts";

describe("the environment of an upstream process", () => {
  test("is what the contract names and what was asked for", () => {
    const all = {
      PATH: "/bin",
      HOME: "/h",
      LC_TIME: "C",
      TMPDIR: "/t",
      AWS_SECRET: "s",
      ASKED: "a",
      UNSET: undefined,
      ONEDOOR_TOKEN: "t",
    };
    expect(
      childEnvironment(
        all,
        ["ASKED", "MISSING", "ONEDOOR_TOKEN"],
        { HOME: "/own", ONEDOOR_X: "1" },
        "linux",
      ),
    ).toEqual({
      PATH: "/bin",
      HOME: "/own",
      LC_TIME: "C",
      TMPDIR: "/t",
      ASKED: "a",
    });
  });

  test("knows what Windows needs, and that names have no case there", () => {
    const all = {
      Path: "C:\\bin",
      SystemRoot: "C:\\Windows",
      APPDATA: "a",
      Secret: "s",
      onedoor_token: "t",
    };
    expect(childEnvironment(all, [], { PATH: "mine" }, "win32")).toEqual({
      SystemRoot: "C:\\Windows",
      APPDATA: "a",
      PATH: "mine",
    });
  });
});
