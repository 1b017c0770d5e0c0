import { stat } from "node:fs/promises";
import { readPrivateKey } from "../../oauth/private-key.ts";
import { readSmallFile } from "../read-small-file.ts";

/** A private key, whatever its kind, is shorter. */
const maxKeyBytes = 64 * 1024;

/**
 * The text of a client's private key, which can be used.
 * @throws AppError `usage`: it cannot be read, is too long for a key, or none that signs
 */
export async function readClientKey(path: string): Promise<string> {
  const text = await readSmallFile(path, maxKeyBytes, "private key");
  await readPrivateKey(text, path);
  return text;
}

/** Fails as `readClientKey` does, before a server is asked. What is no file can be read only once, and is left alone. */
export async function checkClientKey(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isFile()) await readClientKey(path);
}
