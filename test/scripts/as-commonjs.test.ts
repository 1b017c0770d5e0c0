import { createRequire } from "node:module";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { asCommonJs } from "../../scripts/as-commonjs.mjs";
import type { Target } from "../../scripts/as-commonjs.mjs";

const known = new Set(["./a.js", "node:path", "node:os"]);
const plain = (from: string): Target | undefined =>
  known.has(from) ? { path: from, nameOf: (name) => name } : undefined;

const early = (from: string): Target | undefined =>
  from === "early:a"
    ? { path: "./a.js", nameOf: (name) => `key_${name}`, names: ["one"] }
    : undefined;

/** What the module exports, when `./a.js` has `one` and `two`. */
function run(text: string, targetOf = plain): Record<string, unknown> {
  const module: { exports: Record<string, unknown> } = { exports: {} };
  const own = createRequire(import.meta.url);
  const require = (path: string): unknown =>
    path === "./a.js" ? { one: 1, two: 2, key_one: "early" } : own(path);
  const made = asCommonJs(text, targetOf);
  runInNewContext(`(function(module,require){${made}\n})`)(module, require);
  return module.exports;
}

describe("an ES module as CommonJS", () => {
  it("imports by name, by another name, whole and by default", () => {
    const text =
      'import{one,two as second}from"./a.js";import path from"node:path";import*as os from"node:os";var sum=one+second,sep=path.sep,eol=os.EOL;export{sum,sep as separator,eol};\n';
    expect(run(text)).toEqual({ sum: 3, separator: "/", eol: "\n" });
  });

  it("has its imports before its first line, wherever they stand", () => {
    expect(
      run('var sum=add();function add(){return one}import{one}from"./a.js";export{sum};'),
    ).toEqual({ sum: 1 });
  });

  it("loads lazily with a promise", async () => {
    const { load } = run('var load=()=>import("./a.js");export{load};');
    expect(typeof load === "function" && (await load())).toMatchObject({ one: 1 });
  });

  it("takes a name from where it is called otherwise, loaded lazily too", async () => {
    const { value, load } = run(
      'import{one}from"early:a";var value=one,load=()=>import("early:a");export{value,load};',
      early,
    );
    expect(value).toBe("early");
    expect(typeof load === "function" && (await load())).toEqual({ one: "early" });
  });

  it("leaves a text alone that reads like an import of something else", () => {
    const text = 'var text=`import{x}from"./other.js";`;export{text};';
    expect(run(text)).toEqual({ text: 'import{x}from"./other.js";' });
  });

  it.each([
    "var count=0;function add(){count++}export{count,add};",
    "var made;function make(){made=1}export{made,make};",
    "let last=1;last+=1;export{last};",
  ])("refuses what those who import it would not see: %s", (text) => {
    expect(() => asCommonJs(text, plain)).toThrow(/is exported and assigned to later/u);
  });

  it.each([
    ['import{x}from"./other.js";var y=x;export{y};', "an import of what it does not know"],
    ["await 0;var y=1;export{y};", "top-level await"],
    ["var y=import.meta.url;export{y};", "its own address"],
    ["var module=1,y=module;export{y};", "a name that Node gives"],
  ])("fails for what CommonJS cannot do: %s", (text) => {
    expect(() => asCommonJs(text, plain)).toThrow(SyntaxError);
  });
});
