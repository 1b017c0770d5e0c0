import { stat } from "node:fs/promises";
import { askOAuth } from "../../client/ask-oauth.ts";
import type { OAuthDependencies } from "../../oauth/oauth.ts";
import type { Context } from "../context.ts";
import { readClientKey } from "./client-key.ts";

/** What the OAuth client needs of this command. */
export function oauthDependencies(context: Context): OAuthDependencies {
  return {
    ask: askOAuth,
    now: context.now,
    signal: context.deadline.signal,
    learn: (secret) => context.secrets.add(secret),
    readKey: (path) => readKey(path, context.io),
  };
}

/** @throws AppError `usage`: as `readClientKey` */
async function readKey(path: string, io: Context["io"]): Promise<string> {
  const text = await readClientKey(path);
  const mode = process.platform === "win32" ? 0 : await modeOf(path);
  if ((mode & 0o077) !== 0) {
    io.note(`Others can read or change the private key in ${path}: chmod 600 closes it`);
  }
  return text;
}

/** Of what is no file (a pipe has nobody else who could read it), 0. */
async function modeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true ? found.mode : 0;
}
