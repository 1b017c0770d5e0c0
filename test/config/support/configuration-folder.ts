import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { readEnvironment } from "../../../src/config/environment.ts";
import { loadConfiguration } from "../../../src/config/load-configuration.ts";
import type { LoadOptions } from "../../../src/config/load-configuration.ts";
import { AppError } from "../../../src/core/errors.ts";

const variables = {
  PATH: "/bin",
  HOME: "/home/me",
  LANG: "C.UTF-8",
  LC_ALL: "C",
  TMPDIR: "/tmp",
  SHELL: "/bin/sh",
  KEY: "k-1",
  EMPTY: "",
  ONEDOOR_TOKEN: "secret",
};

/** A folder of its own for each test, and ways to write a configuration into it and read it. */
export function useConfigurationFolder() {
  const paths = { folder: "", file: "" };
  beforeEach(() => {
    paths.folder = mkdtempSync(join(tmpdir(), "onedoor-config-"));
    paths.file = join(paths.folder, "mcp.json");
  });
  afterEach(() => rmSync(paths.folder, { recursive: true }));

  /** Writes the file, where there is text for it, and loads it. */
  const load = (text: string | object | undefined, more: Partial<LoadOptions> = {}) => {
    if (text !== undefined) {
      const content = typeof text === "string" ? text : JSON.stringify(text, null, 2);
      writeFileSync(paths.file, content, { mode: 0o600 });
    }
    const environment = readEnvironment(variables);
    return loadConfiguration({ file: paths.file, environment, overrides: {}, ...more });
  };

  /** The error's message, with FILE in place of the file, and its hint. */
  const problem = async (
    text: string | object | undefined,
    more: Partial<LoadOptions> = {},
  ): Promise<[message: string, hint: string | undefined]> => {
    const error = await load(text, more).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof AppError)) throw new Error("it was accepted", { cause: error });
    expect(error.code).toBe("config_invalid");
    expect(error.message).not.toContain("\n");
    return [error.message.replace(paths.file, "FILE"), error.hint];
  };
  return { paths, variables, load, problem };
}
