import { expect, test } from "vitest";
import { createConfigurationState } from "../../../src/cli/serve/configuration-state.ts";
import { configurationError } from "../../../src/config/configuration-problem.ts";
import { textFingerprint } from "../../../src/config/text-fingerprint.ts";
import { AppError } from "../../../src/core/errors.ts";

const path = ["mcpServers", "my files", "env", "KEY"];
const unset = configurationError("/mcp.json", [
  { path, reason: "the environment variable KEY is not set", line: 3, unsetVariable: "KEY" },
]);

test("remembers what is in effect, and since when and why another text is not", () => {
  const state = createConfigurationState("/mcp.json", { atMs: 1, text: "one" });
  expect(state.status()).toEqual({
    file: "/mcp.json",
    fingerprint: textFingerprint("one"),
    loadedAtMs: 1,
    readAtMs: 1,
    problem: null,
  });
  state.refused({ atMs: 2, text: "two" }, unset);
  state.refused({ atMs: 3, text: "three" }, unset);
  expect(state.status()).toEqual({
    file: "/mcp.json",
    fingerprint: textFingerprint("one"),
    loadedAtMs: 1,
    readAtMs: 3,
    problem: {
      message:
        '/mcp.json:3: mcpServers["my files"].env.KEY: the environment variable KEY is not set',
      hint: "set KEY, then agent serve --restart, or agent mcp disable 'my files'",
      fingerprint: textFingerprint("three"),
      sinceMs: 2,
      server: "my files",
      variable: "KEY",
      line: 3,
    },
  });
  state.taken({ atMs: 4, text: "four" });
  expect(state.status()).toMatchObject({
    fingerprint: textFingerprint("four"),
    loadedAtMs: 4,
    problem: null,
  });
});

test("a secret that is not kept is given again, and then the gateway has to start again", () => {
  const state = createConfigurationState("/mcp.json", { atMs: 1, text: undefined });
  const hint = "agent mcp add a --env KEY --replace";
  const reason = "the secret a/KEY is not kept on this machine";
  state.refused(
    { atMs: 2, text: "x" },
    configurationError("/mcp.json", [{ path: ["mcpServers", "a", "env", "KEY"], reason, hint }]),
  );
  expect(state.status()).toMatchObject({
    fingerprint: null,
    problem: { hint: `${hint}, then agent serve --restart, or agent mcp disable a` },
  });
});

test("what could not be read has no fingerprint, and no failure says more than one line", () => {
  const state = createConfigurationState("/mcp.json", { atMs: 1, text: "one" });
  const locked = new AppError("store_unavailable", "locked\nvault", { hint: "unlock it" });
  state.refused({ atMs: 2, text: undefined }, locked);
  expect(state.status().problem).toMatchObject({
    message: "locked vault",
    hint: "unlock it",
    fingerprint: null,
    server: null,
  });
});
