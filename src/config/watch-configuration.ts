import { realpathSync, statSync, watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { dirname } from "node:path";

/** Editors write in several steps; what they wrote is read once they have been quiet this long. */
const quietMs = 100;

/**
 * Calls `onChange` after the file was changed, replaced or came back. The folder is watched, not the
 * file: editors save by renaming a new file over the old one, which a watch on the file would lose.
 * Where the file is a symbolic link, the folder it points into is watched as well. A file that is
 * removed changes nothing until it is there again.
 * @param options.onError told when watching stops working; later changes are then not noticed
 * @param options.seen the file's fingerprint when it was read, so that a change between then and now counts
 * @throws when the folder cannot be watched
 */
export function watchConfiguration(
  file: string,
  onChange: () => void,
  options: { onError: (error: Error) => void; seen: string | undefined },
): { close(): void } {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let known = options.seen;
  const look = (): void => {
    const now = fingerprint(file);
    if (closed || now === undefined || now === known) return;
    known = now;
    onChange();
  };
  const onEvent = (): void => {
    clearTimeout(timer);
    timer = setTimeout(look, quietMs);
  };
  const folders = new Set([dirname(file), dirname(targetOf(file))]);
  const watchers: FSWatcher[] = [];
  const close = (): void => {
    closed = true;
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
  try {
    for (const folder of folders) {
      const watcher = watch(folder, onEvent);
      watcher.on("error", options.onError);
      watchers.push(watcher);
    }
  } catch (error) {
    close();
    throw error;
  }
  onEvent();
  return { close };
}

/** Changes whenever the content, the file itself or its mode may have changed; absent with the file. */
export function fingerprint(file: string): string | undefined {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file);
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch {
    return undefined;
  }
}

/** Where a symbolic link leads; a file that is not there yet leads to itself. */
function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
