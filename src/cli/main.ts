#!/usr/bin/env node
import { version } from "../core/version.ts";

const [first, ...more] = process.argv.slice(2);

// `ps` shows the command line to everybody on the machine: what is secret in it goes before anything else.
if (process.argv.some((word) => /^(?:--token(?:=|$)|-[A-Za-z]*t)/u.test(word))) {
  process.title = "agent";
}

// Nobody reads any more (`| head -1`): that is the reader's right, and no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

if (first === "--version" && more.length === 0) {
  process.stdout.write(`${version}\n`);
} else {
  void import("./command-line.ts").then(({ runCommandLine }) =>
    runCommandLine(process, (exitCode) => {
      process.exitCode = exitCode;
    }),
  );
}
