import type { Check } from "./check.ts";
import { certificatesCheck } from "./checks/certificates.ts";
import { clockCheck } from "./checks/clock.ts";
import { configurationCheck } from "./checks/configuration.ts";
import { directoriesCheck } from "./checks/directories.ts";
import { environmentCheck } from "./checks/environment.ts";
import { gatewayCheck } from "./checks/gateway.ts";
import { keyRingFilesCheck } from "./checks/key-ring-files.ts";
import { keychainCheck } from "./checks/keychain.ts";
import { nodeCheck } from "./checks/node.ts";
import { orphanFilesCheck } from "./checks/orphan-files.ts";
import { profileCheck } from "./checks/profile.ts";
import { proxiesCheck } from "./checks/proxies.ts";
import { signedInCheck } from "./checks/signed-in.ts";
import { upstreamsCheck } from "./checks/upstreams.ts";
import type { Ground } from "./ground.ts";

/** More than this nobody has, and each is a request. */
const mostProfiles = 50;

/** Everything that is looked at, in the order in which it is shown. */
export function allChecks({ survey }: Pick<Ground, "survey">): Check[] {
  return [
    nodeCheck,
    directoriesCheck,
    configurationCheck,
    keychainCheck,
    keyRingFilesCheck,
    orphanFilesCheck,
    gatewayCheck,
    ...survey.profiles.slice(0, mostProfiles).map(profileCheck),
    signedInCheck,
    upstreamsCheck,
    environmentCheck,
    proxiesCheck,
    certificatesCheck,
    clockCheck,
  ];
}
