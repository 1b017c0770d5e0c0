import { BusAbsence, BusSilence, openSessionBus } from "./session-bus.ts";
import type { BusCall, SessionBus } from "./session-bus.ts";

/** What the Secret Service of the session (freedesktop Secret Service API) is good for right now. */
export type KeychainState =
  | { kind: "present"; locked: boolean }
  /** There is none. */
  | { kind: "absent"; reason: string }
  /** There is one, and it does not answer. */
  | { kind: "mute"; reason: string };

const serviceLimitMs = 2000;
const secrets = "org.freedesktop.secrets";

const hello: BusCall = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
  member: "Hello",
  arguments: [],
};
const readDefaultCollection: BusCall = {
  destination: secrets,
  path: "/org/freedesktop/secrets",
  interface: "org.freedesktop.Secret.Service",
  member: "ReadAlias",
  arguments: ["default"],
};
const readLocked = (path: string): BusCall => ({
  destination: secrets,
  path,
  interface: "org.freedesktop.DBus.Properties",
  member: "Get",
  arguments: ["org.freedesktop.Secret.Collection", "Locked"],
});

/** Errors by which the bus says that nobody offers the service (and nobody could be started for it). */
const nobodyThere = /\.(?:ServiceUnknown|NameHasNoOwner|Spawn\.\w+)$/u;

/**
 * Asks whether there is a keychain, without loading the native binding, which blocks on one that does not
 * answer. Takes at most about two seconds; a service that the bus can start is started.
 * @param address of the session bus; undefined: there is none
 */
export async function probeSecretService(
  address: string | undefined,
  uid: number,
): Promise<KeychainState> {
  if (address === undefined) return { kind: "absent", reason: "there is no session bus" };
  let bus: SessionBus | undefined;
  try {
    bus = await openSessionBus(address, uid);
    await bus.call(hello, serviceLimitMs);
    const collection = await bus.call(readDefaultCollection, serviceLimitMs);
    if (collection.error !== undefined) {
      return nobodyThere.test(collection.error)
        ? { kind: "absent", reason: "no Secret Service runs in this session" }
        : { kind: "mute", reason: `the Secret Service answers ${collection.error}` };
    }
    // "/": there is no default collection yet, so nothing that could be locked.
    if (typeof collection.value !== "string" || collection.value === "/") {
      return { kind: "present", locked: false };
    }
    const locked = await bus.call(readLocked(collection.value), serviceLimitMs);
    return { kind: "present", locked: locked.value === true };
  } catch (error) {
    if (error instanceof BusAbsence) return { kind: "absent", reason: error.message };
    if (error instanceof BusSilence) return { kind: "mute", reason: error.message };
    throw error;
  } finally {
    bus?.close();
  }
}
