import { removeRuntimeFile, writeRuntimeFile } from "./runtime-file.ts";
import type { RuntimeRecord } from "./runtime-record.ts";

/** The runtime file of the calling process, from its start to its end. All throw as `writeRuntimeFile`. */
export interface OwnRuntimeFile {
  write(record: RuntimeRecord): Promise<void>;
  /** Says which certificates may be shown from now on; nothing before `write` and after `remove`. */
  expect(certificates: readonly string[]): Promise<void>;
  remove(): Promise<void>;
}

export function createOwnRuntimeFile(stateDir: string): OwnRuntimeFile {
  let current: RuntimeRecord | undefined;
  /** One after the other, so that what is said last stands there in the end. */
  let last: Promise<void> = Promise.resolve();
  const after = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    write: (record) =>
      after(async () => {
        current = record;
        await writeRuntimeFile(stateDir, record);
      }),
    expect: (certificates) =>
      after(async () => {
        if (current === undefined) return;
        current = { ...current, certificates };
        await writeRuntimeFile(stateDir, current);
      }),
    remove: () =>
      after(async () => {
        const record = current;
        current = undefined;
        if (record !== undefined) await removeRuntimeFile(stateDir, record);
      }),
  };
}
