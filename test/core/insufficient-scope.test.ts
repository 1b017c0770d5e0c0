import { describe, expect, it } from "vitest";
import {
  InsufficientScope,
  insufficientScopeChallenge,
} from "../../src/core/insufficient-scope.ts";
import { limitsOf, reachesAsFar } from "../../src/core/scopes.ts";

const challenge = (message: string, ...scopes: string[]) =>
  insufficientScopeChallenge(new InsufficientScope(message, { scopes }));

describe("the challenge", () => {
  it("lists all scopes at once (RFC 6750 §3.1)", () => {
    expect(challenge("It needs more", "server:files", "role:editor")).toBe(
      'Bearer realm="onedoor", error="insufficient_scope", scope="server:files role:editor", error_description="It needs more"',
    );
  });

  it.each([
    ["server:my files"],
    ['server:a"b'],
    ["server:a\\b"],
    ["server:ä"],
    ["server:a\r\nX: y"],
  ])("lists none where one is %j, which no header can hold", (scope) => {
    const told = challenge("It needs more", scope, "role:editor");
    expect(told).not.toContain("scope=");
    expect(told).toContain('error="insufficient_scope"');
  });

  it("shows what a message quotes in quotes that do not end its own", () => {
    expect(challenge('Tool "files__write" changes something', "role:editor")).toMatch(
      /error_description="Tool 'files__write' changes something"$/u,
    );
  });

  it("is one line of a header whatever the message is", () => {
    const told = challenge(`a"b\\c\r\nSet-Cookie: x\u0000 ü ${"x".repeat(5_000)}`, "role:editor");
    expect(told).toMatch(/^[\x20-\x7e]+$/u);
    expect(told.length).toBeLessThan(500);
    expect(told.match(/"/gu)).toHaveLength(8);
  });
});

it("the body lists them beside the code", () => {
  const error = new InsufficientScope("More", { scopes: ["server:my files"], hint: "h" });
  expect(error.toBody()).toEqual({
    error: { code: "forbidden", message: "More", hint: "h", scopes: ["server:my files"] },
  });
});

describe("of two tokens the one reaches as far", () => {
  it.each<[string[], string[], boolean]>([
    [["server:a"], [], false],
    [["role:admin"], [], false],
    [["metrics"], ["role:viewer"], false],
    [["role:viewer"], ["role:editor"], false],
    [["server:a"], ["server:b"], false],
    [["server:a"], ["server:a", "tag:t"], false],
    [["server:a", "role:viewer"], ["server:a"], false],
    [["server:a", "role:viewer"], ["role:viewer"], false],
    [[], ["server:a"], true],
    [[], [], true],
    [["metrics"], ["metrics"], true],
    [["server:a"], ["metrics"], true],
    [["server:a", "server:b"], ["server:a", "role:viewer"], true],
    [["role:editor"], ["server:x", "role:viewer"], true],
    [["tag:t", "role:viewer"], ["role:viewer", "tag:t"], true],
  ])("%j as %j: %s", (wide, narrow, reaches) => {
    expect(reachesAsFar(limitsOf(wide), limitsOf(narrow))).toBe(reaches);
  });
});
