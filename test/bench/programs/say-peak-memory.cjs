// Loaded before a program (`node --require`): at the end it writes to descriptor 3 how much memory the process
// has held at most, in KiB. On Linux not `maxRSS`: there a child begins with what its parent held when it was
// started, so that a large parent hides a small child. `VmHWM` belongs to the program alone.
const { readFileSync, writeSync } = require("node:fs");

process.on("exit", () => {
  const peak =
    process.platform === "linux"
      ? /^VmHWM:\s+(\d+) kB$/mu.exec(readFileSync("/proc/self/status", "utf8"))?.[1]
      : process.resourceUsage().maxRSS;
  writeSync(3, String(peak));
});
