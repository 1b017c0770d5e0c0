import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isJsonObject } from "../../core/json.ts";
import type { StartOptions } from "./serve-options.ts";

/** Beside the runtime file, so that `--restart` starts what `--background` started. */
function fileOf(stateDir: string): string {
  return join(stateDir, "background.json");
}

/** Remembers what a gateway in the background was started with. Holds no secret: no option of it does. */
export async function rememberStartOptions(stateDir: string, options: StartOptions): Promise<void> {
  const { config, host, port, auth, externalUrl, insecureHttp } = options;
  const text = JSON.stringify({
    config: config && resolve(config),
    host,
    port,
    auth,
    externalUrl,
    insecureHttp,
  });
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeFile(fileOf(stateDir), `${text}\n`, { mode: 0o600 });
}

/** What the last one was started with; nothing where none was, or where the file cannot be understood. */
export async function readStartOptions(stateDir: string): Promise<StartOptions> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(fileOf(stateDir), "utf8"));
  } catch {
    value = undefined;
  }
  const kept = isJsonObject(value) ? value : {};
  const text = (key: string): string | undefined => {
    const entry = kept[key];
    return typeof entry === "string" ? entry : undefined;
  };
  const { port } = kept;
  return {
    config: text("config"),
    host: text("host"),
    port: typeof port === "number" ? port : undefined,
    auth: text("auth"),
    externalUrl: text("externalUrl"),
    insecureHttp: kept["insecureHttp"] === true,
  };
}
