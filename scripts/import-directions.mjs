// Which room of the house may import which (docs/architecture.md). The lint configuration is generated
// from this table, so that the table is the one place that says it: `node scripts/import-directions.mjs`.
import { readFileSync, writeFileSync } from "node:fs";

/** @type {Record<string, readonly string[]>} */
export const mayImport = {
  core: [],
  config: ["core"],
  oauth: ["core"],
  runtime: ["core"],
  profiles: ["core", "oauth"],
  auth: ["core", "runtime"],
  upstream: ["core", "oauth"],
  gateway: ["core", "auth", "upstream"],
  mcp: ["core", "gateway"],
  http: ["core", "gateway", "auth", "mcp"],
  storage: ["core"],
  client: ["core", "oauth", "profiles", "runtime"],
};

const rooms = [...Object.keys(mayImport), "cli"];

/** @param {string} room */
function rule(room) {
  const forbidden = rooms.filter((other) => other !== room && !mayImport[room]?.includes(other));
  const patterns = [
    {
      group: forbidden.flatMap((other) => [
        `../${other}/**`,
        `../../${other}/**`,
        `../../../${other}/**`,
      ]),
      message: `${room} may import only: ${mayImport[room]?.join(", ") || "itself"} (docs/architecture.md)`,
    },
  ];
  if (room === "core") {
    patterns.push({
      group: ["node:*", "@modelcontextprotocol/**"],
      message: "core has no I/O, no node, no SDK (docs/architecture.md)",
    });
  }
  return { files: [`src/${room}/**`], rules: { "no-restricted-imports": ["error", { patterns }] } };
}

export const overrides = Object.keys(mayImport).map(rule);

if (process.argv[1] === import.meta.filename) {
  const file = new URL("../.oxlintrc.json", import.meta.url);
  const config = JSON.parse(readFileSync(file, "utf8"));
  const own = config.overrides.filter(
    (/** @type {{rules: object}} */ entry) => !("no-restricted-imports" in entry.rules),
  );
  writeFileSync(
    file,
    `${JSON.stringify({ ...config, overrides: [...own, ...overrides] }, null, 2)}\n`,
  );
}
