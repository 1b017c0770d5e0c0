/** Put in by the build (and by vitest's configuration) from package.json. */
declare const ONEDOOR_VERSION: string;

/** The version of this program, as in package.json. */
export const version: string = ONEDOOR_VERSION;
