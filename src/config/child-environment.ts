type Variables = Readonly<Record<string, string | undefined>>;

const posixNames = ["PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR"];
// Without these, programs on Windows cannot find the system's own libraries, shells and folders.
const windowsNames = [
  ...posixNames,
  "APPDATA",
  "COMSPEC",
  "HOMEDRIVE",
  "HOMEPATH",
  "LOCALAPPDATA",
  "PATHEXT",
  "PROCESSOR_ARCHITECTURE",
  "PROGRAMDATA",
  "PROGRAMFILES",
  "PROGRAMFILES(X86)",
  "PROGRAMW6432",
  "SYSTEMDRIVE",
  "SYSTEMROOT",
  "TEMP",
  "TMP",
  "USERNAME",
  "USERPROFILE",
  "WINDIR",
];

/** Our own variables may hold a token; no upstream process ever sees one. */
export function isOwnVariable(name: string): boolean {
  return name.toUpperCase().startsWith("ONEDOOR_");
}

/**
 * The whole environment of an upstream process: PATH, HOME, locale and TMPDIR (and what Windows needs),
 * the names in `inheritEnv`, and `env` over all; never `ONEDOOR_*`.
 */
export function childEnvironment(
  all: Variables,
  inheritEnv: readonly string[],
  env: Readonly<Record<string, string>>,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  // Variable names know no case on Windows: `Path` is `PATH`.
  const same = (name: string): string => (platform === "win32" ? name.toUpperCase() : name);
  const wanted = new Set(
    [...(platform === "win32" ? windowsNames : posixNames), ...inheritEnv].map(same),
  );
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) {
    if (value === undefined || isOwnVariable(name)) continue;
    if (wanted.has(same(name)) || name.startsWith("LC_")) result[name] = value;
  }
  for (const [name, value] of Object.entries(env)) {
    if (isOwnVariable(name)) continue;
    for (const inherited of Object.keys(result)) {
      if (same(inherited) === same(name)) delete result[inherited];
    }
    result[name] = value;
  }
  return result;
}
