import type { Check } from "../check.ts";

/** As package.json has it (`engines`). */
const least = [20, 19] as const;

export const nodeCheck: Check = {
  name: "node",
  look() {
    const { node } = process.versions;
    const [major = 0, minor = 0] = node.split(".").map(Number);
    const isOld = major < least[0] || (major === least[0] && minor < least[1]);
    const where = `${process.platform} ${process.arch}`;
    return Promise.resolve(
      isOld
        ? {
            name: "node",
            state: "fail",
            message: `Node ${node} on ${where}; at least ${least.join(".")} is needed`,
            mend: "nvm install --lts",
          }
        : { name: "node", state: "ok", message: `Node ${node} on ${where}` },
    );
  },
};
