// What libraries bring along that this program never comes to: the bundle has a short file instead of it, which says so
// should somebody come to it after all. Each start would read it, and much of it would be evaluated as well.

/** As what each is required, by which package, and what is in its place. */
const stubs = [
  // Compilers for JSON schemas of routes; no route has one. Fastify asks for both when it is made, and calls them for
  // the first schema.
  { by: "fastify", path: "@fastify/ajv-compiler", contents: "module.exports = () => leftOut;" },
  {
    by: "fastify",
    path: "@fastify/fast-json-stringify-compiler",
    contents: "module.exports = () => leftOut;",
  },
  // For app.inject(), which only tests use.
  { by: "fastify", path: "light-my-request", contents: "module.exports = leftOut;" },
  // Compares the versions that plugins from elsewhere ask for.
  {
    by: "fastify",
    path: "semver",
    contents: "module.exports = { gt: leftOut, coerce: leftOut, satisfies: leftOut };",
  },
  // The gateway makes its servers itself, and they speak HTTP/1.1.
  {
    by: "fastify",
    path: "node:http2",
    contents: "module.exports = { createServer: leftOut, createSecureServer: leftOut };",
  },
  // Transports write logs in a worker thread; here a function takes the lines.
  { by: "pino", path: "thread-stream", contents: "module.exports = leftOut;" },
  { by: "pino", path: "sonic-boom", contents: "module.exports = leftOut;" },
  // The process's metrics are our own, and nothing is pushed or gathered from several processes.
  { by: "prom-client", path: "./lib/defaultMetrics", contents: "module.exports = leftOut;" },
  { by: "prom-client", path: "./lib/pushgateway", contents: "module.exports = leftOut;" },
  { by: "prom-client", path: "./lib/cluster", contents: "module.exports = leftOut;" },
];

/** @type {import("esbuild").Plugin} */
export const leftOut = {
  name: "left-out",
  setup(bundler) {
    /** @type {Set<object>} */
    const met = new Set();
    for (const stub of stubs) {
      const filter = new RegExp(`^${stub.path.replaceAll(/[./]/g, "\\$&")}$`);
      const from = new RegExp(`[\\\\/]node_modules[\\\\/]${stub.by}[\\\\/](?!.*node_modules)`);
      bundler.onResolve({ filter }, ({ path, importer }) => {
        if (!from.test(importer)) return undefined;
        met.add(stub);
        return { path, namespace: "left-out" };
      });
    }
    bundler.onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => {
      const { by = "", contents = "" } = stubs.find((stub) => stub.path === path) ?? {};
      const said = JSON.stringify(`${by}: ${path} is left out (scripts/left-out.mjs)`);
      return { contents: `function leftOut() { throw new Error(${said}); }\n${contents}` };
    });
    bundler.onEnd(() => {
      const unmet = stubs.filter((stub) => !met.has(stub)).map(({ path }) => path);
      if (unmet.length > 0) throw new Error(`Nothing asks for ${unmet.join(", ")} any more`);
    });
  },
};
