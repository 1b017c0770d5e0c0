import { chmodSync, existsSync, mkdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

/** Starts the system's Chromium without a window. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    // Its sandbox refuses to work for root, whom many build machines run as.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
}

export interface AddressCatcher {
  /** Put over a home's environment: there is a screen, and this opens addresses on it. */
  readonly env: Readonly<Record<string, string>>;
  /** The arguments that it was started with, once it was. */
  opened(): Promise<string[]>;
}

/** Writes an `xdg-open` that hands the address to the test, which opens it in a browser of its own. */
export function catchAddress(folder: string): AddressCatcher {
  mkdirSync(folder, { recursive: true });
  const caught = join(folder, "arguments");
  const program = join(folder, "xdg-open");
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '%s\\n' "$@" > '${caught}.new' && mv '${caught}.new' '${caught}'\n`,
  );
  chmodSync(program, 0o755);
  return {
    env: { PATH: `${folder}:${process.env["PATH"] ?? ""}`, DISPLAY: ":0" },
    async opened() {
      await new Promise<void>((resolve) => {
        const watcher = watch(folder, look);
        function look(): void {
          if (!existsSync(caught)) return;
          watcher.close();
          resolve();
        }
        look();
      });
      return readFileSync(caught, "utf8").trimEnd().split("\n");
    },
  };
}

/** Signs in on oidc-provider's own page, up to where it asks for consent. */
export async function signInAs(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(login);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).waitFor();
}
