import { connect } from "node:net";
import type { NetConnectOpts, Socket } from "node:net";
import { decodeReply, encodeCall, messageLength } from "./bus-message.ts";
import type { BusReply } from "./bus-message.ts";

/** One connection to the D-Bus session bus, for a few questions (D-Bus specification 0.43). */
export interface SessionBus {
  /** Calls a method with text arguments. @throws BusSilence when no reply comes within `limitMs` */
  call(call: BusCall, limitMs: number): Promise<BusReply>;
  close(): void;
}

export interface BusCall {
  destination: string;
  path: string;
  interface: string;
  member: string;
  arguments: readonly string[];
}

/** The bus, or who was asked through it, does not answer. */
export class BusSilence extends Error {
  override readonly name = "BusSilence";
}

/** A bus that cannot be spoken to at all: no socket, nobody behind it, or it refuses this user. */
export class BusAbsence extends Error {
  override readonly name = "BusAbsence";
}

/**
 * Where a bus address leads ("Server Addresses" of the specification): the first `unix:` entry. Undefined
 * for other transports, which no desktop uses for its session.
 */
export function busSocket(address: string): NetConnectOpts | undefined {
  for (const entry of address.split(";")) {
    const [transport, list = ""] = entry.split(/:(.*)/su);
    if (transport !== "unix") continue;
    const values = new Map(
      list.split(",").map((pair) => {
        const [key = "", value = ""] = pair.split(/=(.*)/su);
        return [
          key,
          value.replaceAll(/%([\da-f]{2})/giu, (_, hex: string) =>
            String.fromCodePoint(Number.parseInt(hex, 16)),
          ),
        ];
      }),
    );
    const path = values.get("path");
    if (path !== undefined) return { path };
    const abstract = values.get("abstract");
    // Linux: a leading NUL byte names a socket that has no file.
    if (abstract !== undefined) return { path: `\0${abstract}` };
  }
  return undefined;
}

/** A healthy bus takes a millisecond; more is for a machine that is busy with other things. */
const authLimitMs = 1000;
const maxBufferedBytes = 256 * 1024;

/**
 * Connects and authenticates (`AUTH EXTERNAL`), in plain JavaScript and bounded: the native binding would
 * hang for ever on a socket that accepts and stays silent.
 * @throws BusAbsence, BusSilence
 */
export async function openSessionBus(address: string, uid: number): Promise<SessionBus> {
  const target = busSocket(address);
  if (!target) throw new BusAbsence("the session bus has no Unix socket");
  const socket = connect(target);
  const reader = createReader(socket);
  try {
    await reader.until(() => !socket.connecting, authLimitMs, "the session bus does not accept");
    socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(uid)).toString("hex")}\r\n`);
    await reader.until((bytes) => bytes.includes("\r\n"), authLimitMs, "the session bus is silent");
    const line = reader.take(reader.bytes().indexOf("\r\n") + 2).toString("latin1");
    if (!line.startsWith("OK")) throw new BusAbsence("the session bus refuses this user");
    socket.write("BEGIN\r\n");
  } catch (error) {
    socket.destroy();
    throw error;
  }
  let serial = 0;
  const call: SessionBus["call"] = async (message, limitMs) => {
    serial += 1;
    const own = serial;
    socket.write(encodeCall(own, message));
    const deadline = performance.now() + limitMs;
    for (;;) {
      const leftMs = Math.max(0, deadline - performance.now());
      await reader.until(holdsMessage, leftMs, `${message.destination} does not answer`);
      const reply = decodeReply(reader.take(messageLength(reader.bytes()) ?? 0));
      if (reply?.replyTo === own) return reply;
    }
  };
  return { call, close: () => socket.destroy() };
}

function holdsMessage(bytes: Buffer): boolean {
  const length = messageLength(bytes);
  return length !== undefined && bytes.length >= length;
}

/** What has arrived on a socket, and a bounded wait for it to be enough. */
function createReader(socket: Socket) {
  let buffer = Buffer.alloc(0);
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  socket.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    if (buffer.length > maxBufferedBytes) {
      failure = new BusSilence("the session bus sends too much");
      socket.destroy();
    }
    wake?.();
  });
  socket.on("connect", () => wake?.());
  socket.on("error", (error: NodeJS.ErrnoException) => {
    failure ??= new BusAbsence(
      `the session bus cannot be reached (${error.code ?? error.message})`,
    );
    wake?.();
  });
  socket.on("close", () => {
    failure ??= new BusAbsence("the session bus closed the connection");
    wake?.();
  });
  return {
    bytes: () => buffer,
    take(length: number): Buffer {
      const taken = buffer.subarray(0, length);
      buffer = buffer.subarray(length);
      return taken;
    },
    async until(
      enough: (bytes: Buffer) => boolean,
      limitMs: number,
      silence: string,
    ): Promise<void> {
      let expired = false;
      const timer = setTimeout(() => {
        // What arrived while this process was held up is read first.
        setImmediate(() => {
          expired = true;
          wake?.();
        });
      }, limitMs);
      try {
        while (!enough(buffer)) {
          if (failure) throw failure;
          if (expired) throw new BusSilence(silence);
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
