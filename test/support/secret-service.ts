import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

/**
 * A session bus and a GNOME keyring of their own: a real Secret Service without a screen. Needs Debian's
 * packages `dbus` and `gnome-keyring`; where they are missing, starting it fails.
 */
export interface SecretService {
  /** For DBUS_SESSION_BUS_ADDRESS. */
  readonly address: string;
  /** Locks the default collection; nobody is there to answer the prompt that unlocks it. */
  lock(): Promise<void>;
  /** The provider holds its name and answers nothing any more. */
  muteProvider(): void;
  /** The bus accepts connections and answers nothing any more. */
  muteBus(): void;
  stop(): Promise<void>;
}

const readyWithinMs = 20_000;
const pollMs = 20;

/** What is still running when the test process ends goes with it. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  for (let leftMs = readyWithinMs; leftMs > 0; leftMs -= pollMs) {
    if (await reached()) return;
    await delay(pollMs);
  }
  throw new Error(`${what} did not happen: are the packages dbus and gnome-keyring installed?`);
}

/**
 * @param home where the key rings are kept, so that one can be started again on the same ones
 * @param runtime a private folder for sockets, with a short path; the bus is at `<runtime>/bus`
 */
export async function startSecretService(home: string, runtime: string): Promise<SecretService> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(runtime, "bus")}`,
  };
  const address = env.DBUS_SESSION_BUS_ADDRESS;
  const children: ChildProcess[] = [];
  const start = (command: string, args: readonly string[]): ChildProcess => {
    const child = spawn(command, args, { env, stdio: ["pipe", "ignore", "ignore"] });
    child.once("exit", () => running.delete(child));
    running.add(child);
    children.push(child);
    return child;
  };
  const send = async (...args: readonly string[]): Promise<string | undefined> => {
    const child = spawn(
      "dbus-send",
      [`--bus=${address}`, "--print-reply", "--reply-timeout=2000", ...args],
      {
        env,
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    const [reply, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    return code === 0 ? reply : undefined;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }),
    );
    rmSync(join(runtime, "bus"), { force: true });
  };

  try {
    const bus = start("dbus-daemon", [
      "--session",
      "--nofork",
      "--nopidfile",
      `--address=${address}`,
    ]);
    await Promise.race([
      once(bus, "spawn"),
      once(bus, "error").then(([error]) => Promise.reject(error)),
    ]);
    await until(
      "the session bus",
      async () =>
        (await send("--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.GetId")) !==
        undefined,
    );
    const keyring = start("gnome-keyring-daemon", [
      "--foreground",
      "--unlock",
      "--components=secrets",
    ]);
    await Promise.race([
      once(keyring, "spawn"),
      once(keyring, "error").then(([error]) => Promise.reject(error)),
    ]);
    keyring.stdin?.end("the password of the key ring");
    // The name alone is not enough: the collection is unlocked a little later.
    await until("an unlocked key ring", async () => {
      const owned = await send(
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.NameHasOwner",
        "string:org.freedesktop.secrets",
      );
      if (owned?.includes("true") !== true) return false;
      const locked = await send(
        "--dest=org.freedesktop.secrets",
        "/org/freedesktop/secrets/aliases/default",
        "org.freedesktop.DBus.Properties.Get",
        "string:org.freedesktop.Secret.Collection",
        "string:Locked",
      );
      return locked?.includes("boolean false") === true;
    });
    return {
      address,
      async lock() {
        const reply = await send(
          "--dest=org.freedesktop.secrets",
          "/org/freedesktop/secrets",
          "org.freedesktop.Secret.Service.Lock",
          "array:objpath:/org/freedesktop/secrets/aliases/default",
        );
        if (reply === undefined) throw new Error("the key ring could not be locked");
      },
      muteProvider() {
        keyring.kill("SIGSTOP");
      },
      muteBus() {
        bus.kill("SIGSTOP");
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
