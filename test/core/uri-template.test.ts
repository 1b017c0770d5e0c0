import { describe, expect, it } from "vitest";
import { compileUriTemplate, serversFitting } from "../../src/core/uri-template.ts";

const owned = (server: string, ...texts: string[]) =>
  texts.map((text) => ({ server, template: compileUriTemplate(text) }));
const costly = (uri: string) => {
  const text = `x:${"{+a}a".repeat(8)}`;
  const count = Math.ceil(500_001 / (compileUriTemplate(text)?.steps(uri) ?? 0));
  return Array.from({ length: count }, () => text);
};

describe("compileUriTemplate", () => {
  // Expansions as RFC 6570 §3.2 gives them, and what servers use.
  it.each<[string, string, boolean]>([
    ["file:///a", "file:///a", true],
    ["file:///a", "file:///ab", false],
    ["test://template/{id}/data", "test://template/123/data", true],
    ["test://template/{id}/data", "test://template/1/2/data", false],
    ["test://template/{id}/data", "test://template//data", true],
    ["test://template/{id}/data", "test://template/1/data/x", false],
    ["x:{a}{b}", "x:anything", true],
    ["x:{a}-{a}", "x:1-2", true],
    ["x:{a}-{a}", "x:1", false],
    ["x:{a}aa", "x:aaaa", true],
    ["x:{a}aab", "x:aaaab", true],
    ["{+path}/here", "http://h/a/b/here", true],
    ["{+path}/here", "http://h/a/b/there", false],
    ["X{#var}", "X#value", true],
    ["X{#var}", "X", true],
    ["X{#var}", "Xvalue", false],
    ["X{.a,b}", "X.1024.768", true],
    ["X{.a}", "X/1", false],
    ["{/a,b}/here", "/value/1024/here", true],
    ["{/a*}", "value", false],
    ["{;x,y}", ";x=1024;y=768", true],
    ["x:{?q,page}", "x:?q=1&page=2", true],
    ["x:{?q}", "x:", true],
    ["x:{?q}", "x:q=1", false],
    ["x:?fixed=yes{&x}", "x:?fixed=yes&x=1024", true],
    ["x:{var:3}", "x:val", true],
    ["demo://{a}", "demo://ä b%20", true],
    ["x:{a}", "x:a?b", false],
    ["x:{a}", "x:a#b", false],
    ["x:{+a}", "x:a?b/c#d", true],
  ])("says whether %s can become %s", (template, uri, expected) => {
    expect(compileUriTemplate(template)?.matches(uri)).toBe(expected);
  });

  it.each(["{", "x{a", "a}b", "{}", "{+}", "{{a}}", "{!a}", "{=a}", "x".repeat(3000)])(
    "takes %s for no template",
    (template) => {
      expect(compileUriTemplate(template)).toBeUndefined();
    },
  );

  it("takes neither more expressions nor longer URIs than anybody needs", () => {
    expect(compileUriTemplate("{a}".repeat(8))).toBeDefined();
    expect(compileUriTemplate("{a}".repeat(9))).toBeUndefined();
    expect(compileUriTemplate("{+a}")?.matches("x".repeat(2000))).toBe(true);
    expect(compileUriTemplate("{+a}")?.matches("x".repeat(2001))).toBe(false);
  });

  it("knows how much of a match is no coincidence", () => {
    expect(compileUriTemplate("ab{x}cd")?.fixedLength).toBe(4);
    expect(compileUriTemplate("{+x}")?.fixedLength).toBe(0);
  });

  it("needs work in proportion to the length, whatever a server writes", () => {
    // A backtracking matcher would not come back from these.
    const template = compileUriTemplate(`${"{+x}a".repeat(7)}{+x}ba`);
    expect(template?.matches("a".repeat(2000))).toBe(false);
    const overlapping = compileUriTemplate(`{+x}${"a".repeat(1500)}b{+y}${"a".repeat(400)}`);
    expect(overlapping?.matches("a".repeat(2000))).toBe(false);
  });
});

describe("serversFitting", () => {
  it("names each server once, by its most telling template", () => {
    const templates = [
      ...owned("wide", "x:{+a}", "x:{+b}"),
      ...owned("other", "y:{+a}", "{"),
      ...owned("close", "x:{+a}", "x:a/{b}"),
    ];
    expect([...serversFitting("x:a/1", templates)]).toEqual(["close", "wide"]);
    expect([...serversFitting("z:1", templates)]).toEqual([]);
  });

  it("leaves out a server whose templates cost too much, and no other", () => {
    const uri = `x:${"a".repeat(1_500)}`;
    const templates = [...owned("costly", ...costly(uri)), ...owned("modest", "x:{+a}")];
    expect([...serversFitting(uri, templates)]).toEqual(["modest"]);
    expect([...serversFitting("x:aaaaaaaaaa", templates)]).toEqual(["costly", "modest"]);
  });

  it("finds nobody where all of them together cost too much", () => {
    const uri = `x:${"a".repeat(1_500)}`;
    const templates = Array.from({ length: 5 }, (_, index) =>
      owned(`s${index}`, ...costly(uri).slice(1)),
    ).flat();
    expect([...serversFitting(uri, templates.slice(0, 30))]).not.toEqual([]);
    expect([...serversFitting(uri, templates)]).toEqual([]);
  });

  it("matches a template that was decided by its beginning with nothing", () => {
    const template = compileUriTemplate("x:{a}/end");
    expect(template?.steps("x:1/end")).toBeGreaterThan(0);
    expect([template?.steps("y:1/end"), template?.steps("x:1/else")]).toEqual([0, 0]);
  });
});
