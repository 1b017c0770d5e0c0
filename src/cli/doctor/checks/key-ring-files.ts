import type { Check, Finding } from "../check.ts";

const most = 20;

/** The files of profiles and secrets: their modes, and what is no profile. */
export const keyRingFilesCheck: Check = {
  name: "key ring",
  look({ survey, shellPath }) {
    const name = "key ring";
    const findings: Finding[] = [];
    for (const { path, mode, isDirectory } of survey.open.slice(0, most)) {
      const octal = mode.toString(8).padStart(4, "0");
      findings.push({
        name,
        state: "fail",
        message: `${shellPath(path)} is open to others (mode ${octal})`,
        mend: `chmod ${isDirectory ? "700" : "600"} ${shellPath(path)}`,
      });
    }
    for (const { path, problem } of survey.broken.slice(0, most)) {
      findings.push({
        name,
        state: "fail",
        message: `${shellPath(path)} ${problem}: it is no profile; sign in to its server again`,
        mend: `rm ${shellPath(path)}`,
      });
    }
    if (findings.length > 0) return Promise.resolve(findings);
    const { profiles, serverSecrets } = survey;
    const count = `${profiles.length} ${profiles.length === 1 ? "profile" : "profiles"}`;
    const secrets = serverSecrets.length === 1 ? "secret" : "secrets";
    const more =
      serverSecrets.length === 0 ? "" : `, ${serverSecrets.length} ${secrets} of servers`;
    return Promise.resolve({ name, state: "ok", message: `${count}${more}` });
  },
};
