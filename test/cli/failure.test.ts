import { describe, expect, it } from "vitest";
import { formatFailure } from "../../src/cli/failure.ts";
import { exitCodeOf, exitCodeOfSignal } from "../../src/cli/exit-code.ts";
import { KnownSecrets } from "../../src/cli/known-secrets.ts";
import { AppError, errorCodes } from "../../src/core/errors.ts";

const people = { json: false, debug: false, secrets: new KnownSecrets() };
const script = { ...people, json: true };

function told(hint: string): string {
  return formatFailure(new AppError("usage", "Wrong", { hint }), { ...people, folder: "/a b" });
}

describe("a failure for people", () => {
  it("is a line, and a hint where there is one", () => {
    expect(formatFailure(new AppError("usage", "Wrong"), people)).toBe("agent: Wrong");
    expect(formatFailure(new AppError("usage", "Wrong", { hint: "agent --help" }), people)).toBe(
      "agent: Wrong\nhint: agent --help",
    );
  });

  it("does not repeat what a bug says, which nobody has looked at", () => {
    const text = formatFailure(new TypeError("cannot read secret-value"), people);
    expect(text).toContain("Unexpected failure (TypeError)");
    expect(text).not.toContain("secret-value");
  });

  it("repeats --config-dir in the command of a hint", () => {
    expect(told("agent auth login --url x")).toContain("agent auth login -d '/a b' --url x");
    expect(told("Is it running? agent serve --status shows it")).toContain(
      "? agent serve -d '/a b' --status shows it",
    );
    expect(told("curl -s x | agent auth login")).toContain("| agent auth login -d '/a b'");
    expect(told("agent inspect 'my agent run'")).toContain("-d '/a b' 'my agent run'");
    expect(told("the agent waits")).toContain("hint: the agent waits");
  });

  it("says what the operating system says", () => {
    const error = Object.assign(new Error("EACCES: permission denied, mkdir '/x'"), {
      code: "EACCES",
      syscall: "mkdir",
    });
    expect(formatFailure(error, people)).toBe("agent: EACCES: permission denied, mkdir '/x'");
  });

  it("shows stacks and causes with --debug only", () => {
    const error = new AppError("internal", "Broken", { cause: new Error("the cause") });
    expect(formatFailure(error, people)).toBe("agent: Broken");
    const text = formatFailure(error, { ...people, debug: true });
    expect(text).toContain("failure.test.ts");
    expect(text).toContain("the cause");
  });
});

describe("a failure for scripts", () => {
  it("is exactly one JSON line", () => {
    const error = new AppError("rate_limited", "Too\nmany", { hint: "wait", retryAfterSeconds: 3 });
    const text = formatFailure(error, script);
    expect(text).not.toContain("\n");
    expect(JSON.parse(text)).toEqual({
      error: { code: "rate_limited", message: "Too\nmany", hint: "wait", retryAfterSeconds: 3 },
    });
  });

  it("stays one line with --debug", () => {
    const text = formatFailure(new Error("x"), { ...script, debug: true });
    expect(text).not.toContain("\n");
    expect(JSON.parse(text)).toMatchObject({ error: { code: "internal" } });
  });
});

it("never shows a token that the command knows", () => {
  const token = "od_abcdefghijklmnop";
  const error = new AppError("internal", `It was ${token}`, { cause: new Error(`and ${token}`) });
  const secrets = new KnownSecrets();
  secrets.add(token);
  for (const form of [people, script, { ...people, debug: true }]) {
    const text = formatFailure(error, { ...form, secrets });
    expect(text).not.toContain(token);
    expect(text).toContain("****");
  }
});

it("ends every failure with the exit code of the contract", () => {
  expect(Object.fromEntries(errorCodes.map((code) => [code, exitCodeOf(code)]))).toEqual({
    usage: 2,
    config_invalid: 2,
    not_found: 2,
    unreachable: 3,
    timeout: 3,
    upstream_unavailable: 3,
    auth_required: 4,
    auth_rejected: 4,
    forbidden: 4,
    tool_error: 5,
    rate_limited: 6,
    store_unavailable: 1,
    internal: 1,
  });
  expect([exitCodeOfSignal("SIGINT"), exitCodeOfSignal("SIGTERM")]).toEqual([130, 143]);
});
