import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mainFile, startProgram } from "../support/agent.ts";
import type { AgentOptions, AgentResult, RunningAgent } from "../support/agent.ts";
import { createHome } from "../support/home.ts";
import type { Home } from "../support/home.ts";

const opFile = fileURLToPath(new URL("../../fixtures/op-stand-in.mjs", import.meta.url));

export interface PipelineOptions {
  env?: Readonly<Record<string, string | undefined>>;
  stdin?: AgentOptions["stdin"];
}

/** A machine on which a pipeline's shell runs: nobody at a terminal, and our program on its path. */
export interface Pipeline {
  readonly home: Home;
  /** Addresses that the page shows, each with the one that takes its place. */
  readonly addresses: Map<string, string>;
  /** As a runner does it: the script in a file, a shell that stops at the first failure. */
  start(script: string, options?: PipelineOptions): RunningAgent;
  run(script: string, options?: PipelineOptions): Promise<AgentResult>;
  /** What the browser was asked to open. */
  opened(): string;
  remove(): void;
}

export function createPipeline(): Pipeline {
  const home = createHome();
  const bin = join(home.folder, "bin");
  const visits = join(home.folder, "visits");
  const addresses = new Map<string, string>();
  mkdirSync(bin);
  const node = process.execPath;
  const programs = {
    agent: `exec ${node} ${mainFile} "$@"`,
    op: `exec ${node} ${opFile} "$@"`,
    // What it installs is on the path already; test/package installs the package.
    npm: `[ "$*" = "install --global @onedoor/agent" ]`,
    npx: `while [ "$1" != @onedoor/agent ]; do shift; done; shift; exec agent "$@"`,
    // A container of `node:22`: what follows the image's name, with nothing on stdin.
    docker: `while [ "$1" != node:22 ]; do shift; done; shift; exec "$@" < /dev/null`,
    "xdg-open": `echo "$*" >> ${visits}`,
  };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const start: Pipeline["start"] = (script, { env = {}, stdin } = {}) => {
    let text = script;
    const variables: Record<string, string | undefined> = { ...env };
    for (const [shown, real] of addresses) {
      text = text.replaceAll(shown, real);
      for (const name of Object.keys(variables)) {
        variables[name] = variables[name]?.replaceAll(shown, real);
      }
    }
    const file = join(home.folder, "step.sh");
    writeFileSync(file, text);
    return startProgram("bash", ["--noprofile", "--norc", "-e", file], {
      home,
      env: { PATH: [bin, dirname(node), "/usr/bin", "/bin"].join(":"), CI: "true", ...variables },
      ...(stdin === undefined ? {} : { stdin }),
    });
  };
  return {
    home,
    addresses,
    start,
    run: (script, options) => start(script, options).ended,
    opened: () => (existsSync(visits) ? readFileSync(visits, "utf8") : ""),
    remove: () => home.remove(),
  };
}
