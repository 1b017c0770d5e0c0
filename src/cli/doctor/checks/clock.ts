import { openAnswer } from "../../../client/http-json.ts";
import { AppError } from "../../../core/errors.ts";
import { timeLimit } from "../../../core/time-limit.ts";
import { addressOf } from "../../../profiles/profile.ts";
import type { Check, Finding } from "../check.ts";
import type { Ground } from "../ground.ts";

const name = "clock";
const askMs = 5_000;
const warnMs = 60_000;
/** Tokens fail: they are not yet, or no longer, good. */
const failMs = 10 * 60_000;

/** This machine's clock against what servers say the time is (`Date`, RFC 9110 §6.6.1). No credential is shown. */
export const clockCheck: Check = {
  name,
  async look(ground, signal) {
    const { survey } = ground;
    const state = await ground.gateway();
    const addresses = [
      ...(state.kind === "running" ? [state.record.url] : []),
      ...survey.profiles.map((profile) => addressOf(profile)),
    ];
    const origins = [...new Set(addresses.map((address) => new URL(address).origin))];
    const asked = await Promise.all(
      origins.map(async (origin) => ({ origin, ms: await offset(origin, ground, signal) })),
    );
    const known = asked.flatMap(({ origin, ms }) => (ms === undefined ? [] : [{ origin, ms }]));
    if (known.length === 0) return { name, state: "ok", message: "No server said what time it is" };
    const wrong = known.filter(({ ms }) => Math.abs(ms) >= warnMs);
    if (wrong.length === 0) {
      return {
        name,
        state: "ok",
        message: `As on ${known.map(({ origin }) => origin).join(", ")}`,
      };
    }
    return wrong.map(({ origin, ms }): Finding => {
      const seconds = Math.round(Math.abs(ms) / 1000);
      const message = `${seconds} s ${ms > 0 ? "behind" : "ahead of"} ${origin}`;
      const isFar = Math.abs(ms) >= failMs;
      return isFar
        ? {
            name,
            state: "fail",
            message: `${message}: tokens are taken for expired`,
            mend: setClock,
          }
        : { name, state: "warn", message, mend: setClock };
    });
  },
};

const setClock =
  process.platform === "darwin"
    ? "sudo sntp -sS time.apple.com"
    : process.platform === "win32"
      ? "w32tm /resync"
      : "sudo timedatectl set-ntp true";

/** How far the server is ahead of us, in milliseconds; undefined where it does not say. */
async function offset(
  origin: string,
  { context }: Ground,
  signal: AbortSignal,
): Promise<number | undefined> {
  const before = context.now();
  try {
    const answer = await openAnswer({ url: `${origin}/`, signal: timeLimit(askMs, signal) });
    answer.destroy();
    const told = Date.parse(answer.headers["date"] ?? "");
    // Half of the way there and back, and half a second for the fraction that it leaves out.
    return Number.isNaN(told) ? undefined : told + 500 - (before + context.now()) / 2;
  } catch (error) {
    if (error instanceof AppError || signal.aborted) return undefined;
    throw error;
  }
}
