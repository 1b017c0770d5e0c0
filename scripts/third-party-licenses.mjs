// Whose work travels inside the bundle, and under which terms.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const licenseFile = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/**
 * The licence texts of every package that has a file in the bundle.
 * @param {string} root the checkout
 * @param {readonly string[]} inputs the bundle's input files, relative to the root (esbuild's metafile)
 * @returns {Promise<string>}
 */
export async function thirdPartyLicenses(root, inputs) {
  const folders = new Set(
    inputs.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  );
  const parts = [];
  for (const folder of [...folders].toSorted()) {
    const { name, version, license } = JSON.parse(
      await readFile(join(root, folder, "package.json"), "utf8"),
    );
    const files = (await readdir(join(root, folder))).filter((file) => licenseFile.test(file));
    const texts = await Promise.all(
      files.toSorted().map((file) => readFile(join(root, folder, file), "utf8")),
    );
    if (texts.length === 0 && typeof license !== "string") {
      throw new Error(`${name} ${version} does not say under which licence it is`);
    }
    parts.push([`${name} ${version} (${license})`, ...texts.map((text) => text.trim())]);
  }
  const line = "-".repeat(80);
  return `This program holds parts of the following works.\n\n${parts
    .map((part) => `${line}\n${part.join("\n\n")}\n`)
    .join("\n")}`;
}
