import { AppError } from "../../core/errors.ts";
import { authenticationTypes } from "../../core/principal.ts";
import type { CommandModule, GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { readOptions } from "../read-options.ts";
import { checkPort } from "../serve/serve-options.ts";
import type { StartOptions } from "../serve/serve-options.ts";

export interface ServeOptions extends StartOptions {
  background: boolean;
  status: boolean;
  stop: boolean;
  restart: boolean;
  announce: boolean;
}

/** Calls in flight get 5 s, upstream servers as much again before they are killed; and some to spare. */
const longestStopMs = 20_000;
const longestStartMs = 30_000;
const longestStatusMs = 5_000;

export const command: CommandModule<ServeOptions> = {
  talksToServer: false,
  defaultTimeoutMs({ status, stop, restart }) {
    if (status) return longestStatusMs;
    if (stop) return longestStopMs;
    return restart ? longestStopMs + longestStartMs : longestStartMs;
  },
  options: {
    config: {
      type: "string",
      alias: "f",
      placeholder: "<file>",
      describe: "Configuration file (default: mcp.json in the configuration folder)",
      env: "ONEDOOR_CONFIG",
    },
    host: {
      type: "string",
      placeholder: "<address>",
      describe: "Listen here (default: 127.0.0.1, with ::1)",
      env: "ONEDOOR_HOST",
    },
    port: {
      type: "number",
      placeholder: "<port>",
      describe: "Listen on this port, 0 for any free one (default: 3050)",
      env: "ONEDOOR_PORT",
    },
    auth: {
      type: "string",
      choices: authenticationTypes,
      // Who gets in must not hang on the order of words.
      onlyOne: 'For several ways list them under "auth" in the configuration, and leave --auth out',
      describe:
        "Sign in this one way, with its options from the configuration (default: as that says, else local)",
      env: "ONEDOOR_AUTH",
    },
    externalUrl: {
      type: "string",
      placeholder: "<url>",
      describe: "The address under which others reach it: its own, or a proxy's",
      env: "ONEDOOR_EXTERNAL_URL",
    },
    insecureHttp: {
      type: "boolean",
      describe: "Allow plain http on a network that is yours alone",
    },
    background: { type: "boolean", describe: "Start it as a process of its own" },
    status: { type: "boolean", describe: "Say whether one runs: exit 0, or 3 when none does" },
    stop: { type: "boolean", describe: "Stop the one that runs" },
    restart: {
      type: "boolean",
      describe:
        "Stop the one that runs and start it again in the background, as it was started; options that say how replace all of those it was started with",
    },
    announce: {
      type: "boolean",
      hidden: true,
      describe: "Tell the parent process that it answers, or why not (what --background starts)",
    },
  },
  examples: [
    ["agent serve", "in the foreground, with the configuration in its usual place"],
    ["agent serve --background --config team.json", "as a process of its own"],
    ["agent serve --status", "is it running, and where?"],
    ["agent serve --stop", "end it, and every server it started"],
  ],
  async run(options, context) {
    checkPort(options.port);
    const modes = (["background", "status", "stop", "restart"] as const).filter(
      (mode) => options[mode],
    );
    if (modes.length > 1) {
      throw new AppError("usage", `--${modes.join(" and --")} exclude each other`, {
        hint: `Give one of them: agent serve --${modes[0] ?? "status"}`,
      });
    }
    switch (modes[0]) {
      case "background": {
        const { startInBackground } = await import("../serve/steer.ts");
        return startInBackground(options, context);
      }
      case "status": {
        const { showStatus } = await import("../serve/steer.ts");
        return showStatus(options, context);
      }
      case "stop": {
        const { stopRunning } = await import("../serve/steer.ts");
        return stopRunning(options, context);
      }
      case "restart": {
        const { restartInBackground } = await import("../serve/steer.ts");
        return restartInBackground(options, context, saysHow(options, context));
      }
      case undefined:
        return serve(options, context);
    }
  },
};

/** Whether the command line says how to start, rather than the environment, which was there before as well. */
function saysHow(options: ServeOptions, { environment }: Context): boolean {
  const unsaid = readOptions({}, command.options, environment.all);
  const keys = ["config", "host", "port", "auth", "externalUrl", "insecureHttp"] as const;
  return keys.some((key) => options[key] !== unsaid[key]);
}

async function serve(options: ServeOptions & GlobalOptions, context: Context): Promise<void> {
  // SQLite takes as long to load as the rest of the gateway: both at once, each on a thread of its own.
  const { startStorageThread } = await import("../../storage/sqlite/storage-worker.ts");
  // scripts/build.mjs puts it there.
  const thread = startStorageThread(new URL("./storage-worker.js", import.meta.url));
  const { serveForeground } = await import("../serve/serve-foreground.ts");
  if (!options.announce) return serveForeground(options, context, thread);
  const { announcing } = await import("../serve/announce.ts");
  return announcing((onReady) => serveForeground(options, context, thread, onReady));
}
