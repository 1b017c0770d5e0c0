// The one file of the program that every command loads (dist/command-line.js), and how the other files get at what is
// in it: Node reads and compiles one file several times as fast as the fifty in which the same code would lie split. What
// is in it is nowhere else, so that a class or a variable of a module is the same for all; dist/shared.js hands it out.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { asCommonJs, lazyRequires } from "./as-commonjs.mjs";

const entry = "src/cli/command-line.ts";
/** What stands before a file of the early bundle where another one imports it. */
const inEarlyFile = "early:";
/** What stands for a module's own address until it is known what sort of module that is. */
export const ownUrl = "ONEDOOR_OWN_URL";

/**
 * Of what is loaded lazily, this is in the early file all the same: it is evaluated when it is asked for, but its code
 * is read at every start. Only what people and programs run all day belongs here.
 */
const alsoEarly = new Set([
  "src/cli/commands/auth/status.ts",
  "src/cli/commands/inspect.ts",
  "src/cli/commands/run.ts",
  "src/cli/help.ts",
  // A gateway answers a call by a stream of events.
  "src/mcp-client/read-event-stream.ts",
  "src/mcp-client/read-messages.ts",
]);

/**
 * @typedef {object} Early
 * @property {readonly string[]} inputs every file in it, relative to the root
 * @property {Readonly<Record<string, string>>} lazyEntries what it loads lazily: the name of each in dist/lazy, its file
 * @property {ReadonlyMap<string, {readonly key: string, readonly exports: readonly string[]}>} modules its files
 *   with their exports, and with what stands before the names of these in dist/shared.js
 */

/**
 * Finds out what belongs into the early file.
 * @param {import("esbuild").BuildOptions & {absWorkingDir: string}} common
 * @returns {Promise<Early>}
 */
export async function earlyFiles(common) {
  const root = common.absWorkingDir;
  /** @type {Map<string, string>} */
  const lazy = new Map();
  const { metafile } = await build({
    ...earlyOptions(common, (file, name) => lazy.set(name, file)),
    entryPoints: [entry],
    write: false,
    outdir: "dist",
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  const files = inputs.filter((file) => !file.includes(":")).toSorted();
  const exported = await build({
    absWorkingDir: root,
    entryPoints: files,
    outbase: ".",
    outdir: "dist",
    write: false,
    bundle: false,
    format: "esm",
    metafile: true,
    logLevel: "warning",
  });
  const modules = new Map(
    Object.values(exported.metafile.outputs).map(({ entryPoint = "", exports }) => [
      entryPoint,
      { key: `e${files.indexOf(entryPoint)}`, exports },
    ]),
  );
  return { inputs, lazyEntries: Object.fromEntries(lazy), modules };
}

/**
 * Has the other files take from the early one what is in it.
 * @param {string} root
 * @param {Early} early
 * @returns {import("esbuild").Plugin}
 */
export function fromEarly(root, { modules }) {
  /** @param {string} path @returns {import("esbuild").OnResolveResult | undefined} */
  const inEarly = (path) => {
    const file = relativeTo(root, path);
    return modules.has(file)
      ? { path: `${inEarlyFile}${file}`, external: true, sideEffects: false }
      : undefined;
  };
  return {
    name: "from-early",
    setup(bundler) {
      bundler.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) =>
        inEarly(resolve(resolveDir, path)),
      );
      bundler.onResolve({ filter: /^[\w@]/ }, async ({ path, resolveDir, kind, pluginData }) => {
        if (pluginData === inEarlyFile || path.startsWith("node:")) return undefined;
        const found = await bundler.resolve(path, { resolveDir, kind, pluginData: inEarlyFile });
        return found.errors.length === 0 ? inEarly(found.path) : undefined;
      });
    },
  };
}

/**
 * Writes the files that were split, as CommonJS.
 * @param {readonly import("esbuild").OutputFile[]} files
 * @param {import("esbuild").Metafile} metafile
 * @param {Early} early
 * @returns {Promise<string[]>} what they take from dist/shared.js
 */
export async function writeLazy(files, metafile, { modules }) {
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const required = imports.find(
    ({ path, kind }) => path.startsWith(inEarlyFile) && kind === "require-call",
  );
  if (required !== undefined) throw new Error(`${required.path} is required, not imported`);
  const known = new Set(
    imports.map(({ path, external }) => (external ? path : `./${basename(path)}`)),
  );
  /** @type {Set<string>} */
  const taken = new Set();
  /** @param {string} from @returns {import("./as-commonjs.mjs").Target | undefined} */
  const targetOf = (from) => {
    if (!known.has(from)) return undefined;
    if (!from.startsWith(inEarlyFile)) return { path: from, nameOf: (name) => name };
    const { key, exports } = modules.get(from.slice(inEarlyFile.length)) ?? {
      key: "",
      exports: [],
    };
    const nameOf = (/** @type {string} */ name) => {
      taken.add(`${key}_${name}`);
      return `${key}_${name}`;
    };
    return { path: "../shared.js", nameOf, names: exports };
  };
  const url = 'require("node:url").pathToFileURL(__filename)';
  await mkdir(dirname(files[0]?.path ?? ""), { recursive: true });
  for (const { path, text } of files) {
    const made = path.endsWith(".js") ? asCommonJs(text, targetOf).replaceAll(ownUrl, url) : text;
    await writeFile(path, made);
  }
  return [...taken].toSorted((a, b) => (a < b ? -1 : 1));
}

/**
 * Writes dist/command-line.js and dist/shared.js.
 * @param {import("esbuild").BuildOptions & {absWorkingDir: string}} common
 * @param {string} outdir
 * @param {Early} early
 * @param {readonly string[]} names what shared.js exports
 */
export async function buildEarly(common, outdir, early, names) {
  const byKey = new Map([...early.modules].map(([file, { key }]) => [key, file]));
  const exported = names.map((name) => {
    const [key = "", ...rest] = name.split("_");
    return `export { ${rest.join("_")} as ${name} } from "./${byKey.get(key)}";`;
  });
  const options = earlyOptions(common, () => undefined);
  const { outputFiles } = await build({
    ...options,
    outdir,
    write: false,
    entryPoints: { "command-line": "with-shared" },
    plugins: [
      ...options.plugins,
      {
        name: "with-shared",
        setup(bundler) {
          const namespace = "with-shared";
          bundler.onResolve({ filter: /^(?:with-shared|what-is-shared)$/ }, ({ path }) => ({
            path,
            namespace,
          }));
          bundler.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
            resolveDir: common.absWorkingDir,
            contents:
              path === "what-is-shared"
                ? exported.join("\n")
                : `export * from "./${entry}"; export const shared = () => require("what-is-shared");`,
          }));
        },
      },
    ],
  });
  for (const { path, text } of outputFiles ?? []) {
    await writeFile(path, path.endsWith(".js") ? lazyRequires(withLazyBuiltins(text)) : text);
  }
  const shared = 'module.exports=require("./command-line.js").shared();\n';
  await writeFile(join(outdir, "shared.js"), shared);
}

/**
 * Has each of Node's own modules loaded when it is first used, as Node itself does it: TLS for an https address,
 * name resolution for a name. Otherwise all of them would be loaded with the files that may need them.
 * @param {string} text what esbuild made
 */
function withLazyBuiltins(text) {
  const assigned = /\b(import_\w+)=require\("(node:[\w/]+)"\)/g;
  const builtins = new Map([...text.matchAll(assigned)].map(([, local = "", id]) => [local, id]));
  const lazy = text
    .replaceAll(assigned, "$1=0")
    .replaceAll(/\b(import_\w+)(?=\.)/g, (local) =>
      builtins.has(local) ? `__builtins["${builtins.get(local)}"]` : local,
    );
  const left = [...lazy.matchAll(/\b(import_\w+)(?!\w|=0|[,;=])/g)].find(([local]) =>
    builtins.has(local),
  );
  if (left !== undefined) throw new Error(`Cannot be loaded lazily: ${left[0]}`);
  const ids = JSON.stringify([...new Set(builtins.values())]);
  return lazy.replace(
    '"use strict";',
    `"use strict";const __builtins={};for(const id of ${ids})Object.defineProperty(__builtins,id,{configurable:!0,get(){const value=require(id);Object.defineProperty(__builtins,id,{value});return value}});`,
  );
}

/**
 * @param {import("esbuild").BuildOptions & {absWorkingDir: string}} common
 * @param {(file: string, name: string) => void} tellLazy called for each file that is loaded lazily from another one
 * @returns {import("esbuild").BuildOptions & {plugins: import("esbuild").Plugin[]}}
 */
function earlyOptions(common, tellLazy) {
  const root = common.absWorkingDir;
  return {
    ...common,
    format: "cjs",
    // ES modules are always strict.
    banner: { js: '"use strict";' },
    logOverride: { "empty-import-meta": "error" },
    plugins: [
      yargsParsesOnly,
      {
        name: "lazy-elsewhere",
        setup(bundler) {
          bundler.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
            const file = relativeTo(root, resolve(resolveDir, path));
            if (kind !== "dynamic-import" || alsoEarly.has(file)) return undefined;
            const name = lazyName(file);
            tellLazy(file, name);
            return { path: `./lazy/${name}.js`, external: true };
          });
        },
      },
    ],
  };
}

/** `src/cli/commands/mcp/add.ts` is `cli-commands-mcp-add`. @param {string} file */
function lazyName(file) {
  return file
    .replace(/^src\//, "")
    .replace(/\.ts$/, "")
    .replaceAll("/", "-");
}

/** @param {string} root @param {string} path */
function relativeTo(root, path) {
  return relative(root, path).replaceAll("\\", "/");
}

/**
 * Of yargs its parser is used; what stands beside it (its texts in all languages, how one configuration extends
 * another) reads files and looks around when it is loaded, and is left out. So is the way in which the parser would
 * load a configuration file.
 * @type {import("esbuild").Plugin}
 */
const yargsParsesOnly = {
  name: "yargs-parses-only",
  setup(bundler) {
    bundler.onResolve({ filter: /^\.\.\/(?:build|lib)\// }, ({ path, importer }) =>
      basename(importer) === "helpers.mjs" ? { path, namespace: "not-used" } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: "not-used" }, () => ({
      contents: "export default undefined; export let applyExtends, hideBin;",
    }));
    bundler.onLoad(
      { filter: /yargs-parser[\\/]build[\\/]lib[\\/]index\.js$/ },
      async ({ path }) => ({
        contents: (await readFile(path, "utf8")).replace(
          "createRequire(import.meta.url)",
          "undefined",
        ),
      }),
    );
  },
};
