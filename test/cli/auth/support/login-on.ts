import { createLogin } from "../../../../src/cli/commands/auth/login.ts";
import type { Bench } from "../bench.ts";

export type LoginFlags = Partial<Parameters<ReturnType<typeof createLogin>["run"]>[0]>;

/** Runs `agent auth login`, with nothing else said than these flags. */
export async function loginOn(bench: Bench, flags: LoginFlags): Promise<void> {
  await bench.run(createLogin(bench.dependencies), {
    local: false,
    web: false,
    device: false,
    clientCredentials: false,
    stdinTimeout: 60,
    noVerify: false,
    insecureHttp: false,
    ...flags,
  });
}

/** As somebody who sits at a terminal. */
export function sitAt(bench: Bench): void {
  bench.stdinIsTerminal = true;
  bench.terminal = true;
  // A character device is no pipe.
  bench.stdin = Object.assign(Object.create(null), { fd: 1_000_000 });
}
