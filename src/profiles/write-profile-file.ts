import Conf from "conf";
import type { Profile } from "./profile.ts";

/**
 * Writes one profile's metadata through `conf`: atomically, 0600. The directory exists already, because
 * `conf` would make it readable for all. Without a schema, which would load a validator for each start.
 */
export function writeProfileFile(directory: string, id: string, profile: Profile): void {
  const file = new Conf<Record<string, unknown>>({
    cwd: directory,
    configName: id,
    configFileMode: 0o600,
    // Keys are taken as they are; a dot in one is no path.
    accessPropertiesByDotNotation: false,
  });
  file.store = { ...profile };
}
