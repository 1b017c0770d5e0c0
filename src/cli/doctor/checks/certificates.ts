import { authoritiesHint, authoritiesIn } from "../../../client/authorities.ts";
import { AppError } from "../../../core/errors.ts";
import { readSmallFile } from "../../read-small-file.ts";
import type { Check, Finding, FindingState } from "../check.ts";
import type { Ground } from "../ground.ts";

const name = "certificates";
const maxBytes = 4 * 1024 * 1024;

/** The files of certificate authorities that variables name. Node leaves out its own one where it is not there. */
export const certificatesCheck: Check = {
  name,
  async look(ground) {
    const { cacert, extraAuthorities } = ground.context.environment;
    const findings = [
      ...(cacert === undefined ? [] : [await lookAt("ONEDOOR_CACERT", cacert, "fail", ground)]),
      ...(extraAuthorities === undefined
        ? []
        : [await lookAt("NODE_EXTRA_CA_CERTS", extraAuthorities, "warn", ground)]),
    ];
    return findings.length > 0
      ? findings
      : { name, state: "ok", message: "Those that Node trusts; no variable names others" };
  },
};

async function lookAt(
  variable: string,
  path: string,
  otherwise: FindingState,
  { shellPath }: Ground,
): Promise<Finding> {
  const file = { path, from: "ONEDOOR_CACERT" } as const;
  try {
    const text = await readSmallFile(path, maxBytes, "certificates", authoritiesHint(file));
    authoritiesIn(text, file);
    return { name, state: "ok", message: `${variable}: ${shellPath(path)}` };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const message = `${variable}: ${error.message}`;
    return { name, state: otherwise, message, mend: `unset ${variable}` };
  }
}
