// Which room of the house may import which, and which packages (docs/architecture.md). The lint
// configuration is generated from this table, so that the table is the one place that says it:
// `node scripts/import-directions.mjs`.
import { readFileSync, writeFileSync } from "node:fs";

/**
 * `rooms`: other rooms; `packages`: of npm; `node`: Node's own modules, all of them where it is left out.
 * @type {Record<string, {rooms: readonly string[], packages: readonly string[], node?: readonly string[]}>}
 */
export const mayImport = {
  core: { rooms: [], packages: ["ajv"], node: [] },
  config: { rooms: ["core", "runtime"], packages: ["jsonc-parser", "zod"] },
  hosts: { rooms: ["core", "config"], packages: ["smol-toml"] },
  oauth: { rooms: ["core"], packages: ["oauth4webapi"] },
  runtime: { rooms: ["core"], packages: [] },
  profiles: { rooms: ["core", "oauth", "runtime"], packages: ["conf", "keytar"] },
  auth: { rooms: ["core", "runtime"], packages: ["jose", "undici"], node: ["node:crypto"] },
  administration: { rooms: ["core", "auth"], packages: [], node: ["node:crypto"] },
  "mcp-client": { rooms: ["core"], packages: ["eventsource-parser"] },
  upstream: { rooms: ["core", "mcp-client"], packages: ["cross-spawn", "undici"] },
  gateway: { rooms: ["core", "auth", "upstream"], packages: [], node: ["node:crypto"] },
  mcp: { rooms: ["core", "gateway"], packages: [] },
  metrics: { rooms: ["core"], packages: ["prom-client"] },
  http: {
    rooms: ["core", "gateway", "auth", "mcp", "administration", "metrics"],
    packages: ["fastify", "zod"],
  },
  storage: { rooms: ["core"], packages: ["kysely", "libsql"] },
  client: { rooms: ["core", "oauth", "profiles", "runtime", "mcp-client"], packages: ["undici"] },
  cli: {
    rooms: [
      "core",
      "config",
      "hosts",
      "oauth",
      "runtime",
      "profiles",
      "auth",
      "administration",
      "mcp-client",
      "upstream",
      "gateway",
      "mcp",
      "metrics",
      "http",
      "storage",
      "client",
    ],
    packages: [
      "@toon-format/toon",
      "diff",
      "fast-png",
      "gpt-tokenizer",
      "jpeg-js",
      "ora",
      "pino",
      "yargs",
    ],
  },
};

/** Where the environment is read: by its one reader, and by the edge that hands it over. */
export const environmentReaders = ["src/config/environment.ts", "src/cli/command-line.ts"];

const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);
/** What is not named there is no dependency; knip finds it. */
const packages = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
const page = "(docs/architecture.md)";

const environment = [
  { object: "process", property: "env", message: `Take it from Environment ${page}` },
  { object: "globalThis", property: "process", message: `Write process ${page}` },
];
const timeAndChance = [
  { object: "Date", property: "now", message: `Time is a parameter in core ${page}` },
  { object: "Math", property: "random", message: `Chance is a parameter in core ${page}` },
];

/** @param {readonly string[]} allowed */
const listed = (allowed) => allowed.join(", ") || "none";

/** @param {string} room */
function rule(room) {
  const allowed = mayImport[room] ?? { rooms: [], packages: [] };
  const otherRooms = Object.keys(mayImport).filter(
    (other) => other !== room && !allowed.rooms.includes(other),
  );
  const otherPackages = packages.filter((name) => !allowed.packages.includes(name));
  const patterns = [
    {
      group: otherPackages.flatMap((name) => [name, `${name}/**`]),
      message: `packages of ${room}: ${listed(allowed.packages)} ${page}`,
    },
    {
      // Its exports are the globals that are looked at below, under other names.
      group: allowed.node
        ? ["node:*", "node:*/**", ...allowed.node.map((name) => `!${name}`)]
        : ["node:process"],
      message: `modules of Node in ${room}: ${allowed.node ? listed(allowed.node) : "all but process"} ${page}`,
    },
  ];
  if (otherRooms.length > 0) {
    patterns.unshift({
      group: otherRooms.map((other) => `**/${other}/**`),
      message: `${room} may import only: ${listed(allowed.rooms)} ${page}`,
    });
  }
  return {
    files: [`src/${room}/**`],
    rules: {
      "no-restricted-imports": ["error", { patterns }],
      // A name that is put together at run time leads anywhere.
      "import/no-dynamic-require": ["error", { esmodule: true }],
      "no-restricted-properties": [
        "error",
        ...environment,
        ...(room === "core" ? timeAndChance : []),
      ],
      ...(room === "core" ? { "no-restricted-globals": ["error", "process", "globalThis"] } : {}),
    },
  };
}

export const overrides = [
  ...Object.keys(mayImport).map(rule),
  { files: environmentReaders, rules: { "no-restricted-properties": "off" } },
];

if (process.argv[1] === import.meta.filename) {
  const file = new URL("../.oxlintrc.json", import.meta.url);
  const config = JSON.parse(readFileSync(file, "utf8"));
  const own = config.overrides.filter(
    (/** @type {{rules: object}} */ { rules }) =>
      !("no-restricted-imports" in rules) && !("no-restricted-properties" in rules),
  );
  writeFileSync(
    file,
    `${JSON.stringify({ ...config, overrides: [...own, ...overrides] }, null, 2)}\n`,
  );
}
