// Makes CommonJS of the ES modules into which esbuild has split the program: it splits into no other form, and Node's
// loader of ES modules took a fifth of the time in which the gateway starts. What esbuild writes is regular, so that
// its imports and exports need no parser. An imported name becomes a constant, as fast to use as the import was: for
// that, nothing may be assigned to an exported variable later, and the build ends where something is.
import { Script } from "node:vm";

const imported =
  /\bimport(?:\{(?<names>[^{}]*)\}from| (?<whole>[\w$]+) from|\*as (?<all>[\w$]+) from)?"(?<from>[^"]+)";/g;
const importedLazily = /\bimport\("(?<from>[^"]+)"\)/g;
const assigned =
  /(?<declared>\b(?:var|let|const) |,)?(?<![\w$.])(?:(?<name>[\w$]+)(?:[-+*/|&^%?]{0,2}=(?![=>])|\+\+|--)|(?:\+\+|--)(?<stepped>[\w$]+))/g;
const exported = /\bexport\{(?<names>[^{}]*)\};\s*(?=$|\/\/# )/;

/**
 * Where an import leads to: what to require for it, what a name is called there, and all names, where these differ.
 * @typedef {object} Target
 * @property {string} path
 * @property {(name: string) => string} nameOf
 * @property {readonly string[]} [names]
 */

/**
 * @param {string} text an ES module as esbuild writes it, without white space
 * @param {(from: string) => Target | undefined} targetOf undefined for what this module does not import
 * @returns {string} a CommonJS module that does the same
 * @throws {Error} for an exported variable that is assigned to later, for what can only be in an ES module, and for a
 *   name that Node gives each CommonJS module
 */
export function asCommonJs(text, targetOf) {
  /** @type {string[]} */
  const required = [];
  const body = text
    .replaceAll(imported, (found, ...rest) => {
      const { names, whole, all, from } = rest.at(-1);
      const target = targetOf(from);
      if (target === undefined) return found;
      const fields = eachName(names, (name, local) => field(target.nameOf(name), local));
      const local = whole ?? all ?? (names && `{${fields}}`);
      required.push(`${local ? `const ${local}=` : ""}require("${target.path}");`);
      return "";
    })
    .replace(exported, (...found) => {
      const { names } = found.at(-1);
      refuseAssigned(text, new Set(eachName(names, (local) => local).split(",")));
      const fields = eachName(names, (local, name) => field(name, local));
      return `module.exports={${fields}};`;
    })
    .replaceAll(importedLazily, (found, from) => {
      const target = targetOf(from);
      if (target?.names === undefined) return found;
      const fields = target.names.map((name) => `${name}:all.${target.nameOf(name)}`).join(",");
      return `Promise.resolve(require("${target.path}")).then(all=>({${fields}}))`;
    });
  const made = `"use strict";${required.join("")}${lazyRequires(body)}`;
  // Compiled and not run: an import that is left is an error, and so is a name of its own that Node gives each module.
  void new Script(`(function(){${made}\nlet module,exports,require,__filename,__dirname})`);
  return made;
}

/** @param {string} name @param {string} local */
function field(name, local) {
  return name === local ? name : `${name}:${local}`;
}

/** @param {string} text @param {Set<string>} names */
function refuseAssigned(text, names) {
  /** @type {Set<string>} */
  const met = new Set();
  for (const { groups = {} } of text.matchAll(assigned)) {
    const name = groups["name"] ?? groups["stepped"] ?? "";
    if (!names.has(name)) continue;
    if (groups["declared"] === undefined || met.has(name)) {
      throw new Error(
        `${name} is exported and assigned to later: those who import it would not see that`,
      );
    }
    met.add(name);
  }
}

/** `a as b,c` @param {string | undefined} list @param {(name: string, local: string) => string} write */
function eachName(list, write) {
  if (!list) return "";
  return list
    .split(",")
    .map((each) => each.split(" as "))
    .map(([name = "", local = name]) => write(name, local))
    .join(",");
}

/**
 * Has what a file loads lazily loaded by `require`; that a promise comes of it stays.
 * @param {string} text
 */
export function lazyRequires(text) {
  return text.replaceAll(importedLazily, (found, from) =>
    /^(?:\.{1,2}\/|keytar$)/.test(from) ? `Promise.resolve().then(()=>require("${from}"))` : found,
  );
}
