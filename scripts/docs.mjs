// Writes what in docs/ follows from the code: a page for each command, with its options from the command
// table and the output of a real run, and the configuration's reference and JSON Schema.
//   npm run docs             writes all of it (needs `npm run build`)
//   npm run docs -- --check  fails when options, usage, reference or schema are not what the code says
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withSources } from "./load-sources.mjs";
import { configurationPage } from "./docs-configuration.mjs";
import { documentedResults } from "./docs-results.mjs";
import { recordSession } from "./docs-session.mjs";

const docs = fileURLToPath(new URL("../docs/", import.meta.url));
const check = process.argv.includes("--check");

/** The program's own data, with the commands' files loaded. */
const code = await withSources("scripts/docs-sources.ts", async (exports) => {
  /** @type {Map<any, any>} */
  const modules = new Map();
  for (const entry of exports.commandTable) modules.set(entry, await entry.load());
  return { ...exports, modules };
});
const schema = `${JSON.stringify(code.configurationJsonSchema(), null, 2)}\n`;

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

/** @param {string} title @param {readonly (readonly [string, string])[]} rows @param {string} [says] above it */
function table(title, rows, says) {
  if (rows.length === 0) return "";
  const lines = rows.map(
    ([name, text]) => `| \`${name.replaceAll("|", "\\|")}\` | ${cell(text)} |`,
  );
  const above = says === undefined ? [] : [says, ""];
  return [`## ${title}`, "", ...above, "| | |", "|---|---|", ...lines, "", ""].join("\n");
}

const runMark = "## A real run";

/** @type {Map<string, string>} */
const pages = new Map();
/** @type {string[]} */
const index = [];
for (const entry of code.commandTable) {
  const module = code.modules.get(entry);
  const name = entry.path.join("-");
  const result = documentedResults[name] ?? { fields: [] };
  index.push(`| [\`agent ${entry.path.join(" ")}\`](${name}.md) | ${entry.summary} |`);
  pages.set(
    name,
    [
      `# agent ${entry.path.join(" ")}`,
      "",
      `${entry.summary}.`,
      "",
      ...(module.about ?? []).flatMap((/** @type {string} */ text) => [text, ""]),
      "```",
      code.commandUsage(entry, module),
      "```",
      "",
      table(
        "Arguments",
        (module.positionals ?? []).map((/** @type {any} */ spec) => [spec.name, spec.describe]),
      ) +
        table("Options", code.optionRows(module.options)) +
        (module.talksToServer ? table("Server", code.optionRows(code.serverOptions)) : "") +
        table("Result with --json", result.fields, result.says) +
        table("Examples", module.examples) +
        "[Options of every command](README.md#options-of-every-command) · [Exit codes](README.md#exit-codes)",
      "",
    ].join("\n"),
  );
}
const indexPage = [
  "# Commands",
  "",
  "These pages are written by `npm run docs`: the options come from the code, the output from a real run.",
  "",
  "| command | does |",
  "|---|---|",
  ...index,
  "",
  table("Options of every command", code.optionRows(code.globalOptions)) +
    readFileSync(new URL("docs-exit-codes.md", import.meta.url), "utf8"),
].join("\n");
const referencePage = configurationPage(code.configurationJsonSchema());

if (check) {
  /** @type {string[]} */
  const stale = [];
  /** @param {string} file @param {string} wanted */
  const compare = (file, wanted) => {
    let found = "";
    try {
      found = readFileSync(docs + file, "utf8").split(`\n${runMark}`)[0] ?? "";
    } catch {
      // A page that is missing is a stale one.
    }
    if (found.trimEnd() !== wanted.trimEnd()) stale.push(file);
  };
  for (const [name, page] of pages) compare(`commands/${name}.md`, page);
  compare("commands/README.md", indexPage);
  compare("configuration.md", referencePage);
  compare("configuration.schema.json", schema);
  if (stale.length > 0) {
    console.error(
      `Not what the code says: ${stale.join(", ")}\nhint: npm run build && npm run docs`,
    );
    process.exitCode = 1;
  }
} else {
  const runs = await recordSession();
  mkdirSync(`${docs}commands`, { recursive: true });
  for (const file of readdirSync(`${docs}commands`)) {
    if (file.endsWith(".md")) rmSync(`${docs}commands/${file}`);
  }
  for (const [name, page] of pages) {
    const run = runs.get(name);
    if (run === undefined) throw new Error(`no run was recorded for ${name}`);
    writeFileSync(
      `${docs}commands/${name}.md`,
      `${page}\n${runMark}\n\n\`\`\`console\n${run}\`\`\`\n`,
    );
  }
  writeFileSync(`${docs}commands/README.md`, indexPage);
  writeFileSync(`${docs}configuration.md`, referencePage);
  writeFileSync(`${docs}configuration.schema.json`, schema);
}
