import { administer } from "./world.ts";
import type { World } from "./world.ts";

/** Somebody who signs in with a password. */
export const bob = "bob@example.com";
export const phrase = "correct horse battery";

/** Makes Bob an editor of the organisation acme, in a world whose `auth` lists `simple`. */
export async function addBob(world: World): Promise<void> {
  await administer(world, ["org", "add", "acme"]);
  await administer(world, ["user", "add", bob, "--name", "Bob"]);
  await administer(world, ["member", "set", bob, "acme", "editor"]);
  await administer(world, ["user", "passwd", bob], `${phrase}\n`);
}
