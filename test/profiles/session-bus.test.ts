import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeReply, messageLength } from "../../src/profiles/bus-message.ts";
import { probeSecretService } from "../../src/profiles/secret-service.ts";
import { busSocket } from "../../src/profiles/session-bus.ts";

// The real bus and key ring are in test/keychain; these are the faults that a real one cannot be made to show.

test.each([
  ["unix:path=/run/user/1000/bus", { path: "/run/user/1000/bus" }],
  ["unix:path=/run/user/1000/bus,guid=0123", { path: "/run/user/1000/bus" }],
  ["unix:guid=0123,path=/tmp/with%20space", { path: "/tmp/with space" }],
  ["unix:abstract=/tmp/dbus-abc,guid=0123", { path: "\u0000/tmp/dbus-abc" }],
  ["tcp:host=127.0.0.1,port=1;unix:path=/second", { path: "/second" }],
  ["autolaunch:", undefined],
  ["unix:tmpdir=/tmp", undefined],
  ["", undefined],
])("the address %s leads to %j", (address, target) => {
  expect(busSocket(address)).toEqual(target);
});

/** A reply as a bus sends it: header fields 5 (reply serial) and, for an error, 4 (its name). */
function reply(serial: number, error?: string): Buffer {
  const name = Buffer.from(error ?? "");
  const replyField = Buffer.from([5, 1, 0x75, 0, serial, 0, 0, 0]);
  const errorField = Buffer.concat([
    Buffer.from([4, 1, 0x73, 0, name.length, 0, 0, 0]),
    name,
    Buffer.from([0]),
  ]);
  const fields = error === undefined ? replyField : Buffer.concat([replyField, errorField]);
  const head = Buffer.alloc(16);
  head.write("l");
  head[1] = error === undefined ? 2 : 3;
  head[3] = 1;
  head.writeUInt32LE(99, 8);
  head.writeUInt32LE(fields.length, 12);
  const padding = Buffer.alloc((8 - ((16 + fields.length) % 8)) % 8);
  return Buffer.concat([head, fields, padding]);
}

describe("a bus", () => {
  let folder: string;
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "od-bus-"));
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Greets, then answers each message with what `answer` makes of its number. */
  async function startBus(greeting: string, answer: (nth: number) => Buffer): Promise<string> {
    const path = join(folder, "bus");
    server = createServer((socket) => {
      sockets.add(socket);
      let heard = Buffer.alloc(0);
      let talking = false;
      let count = 0;
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        heard = Buffer.concat([heard, chunk]);
        if (!talking && heard.includes("AUTH EXTERNAL") && heard.includes("\r\n")) {
          if (!heard.includes("BEGIN")) socket.write(greeting);
          const begin = heard.indexOf("BEGIN\r\n");
          if (begin === -1) return;
          talking = true;
          heard = heard.subarray(begin + 7);
        }
        for (;;) {
          const length = messageLength(heard);
          if (length === undefined || heard.length < length) return;
          heard = heard.subarray(length);
          count += 1;
          socket.write(answer(count));
        }
      });
    }).listen(path);
    await once(server, "listening");
    return `unix:path=${path}`;
  }

  test("that nobody offers the service on has no keychain", async () => {
    const unknown = "org.freedesktop.DBus.Error.ServiceUnknown";
    const address = await startBus("OK 0\r\n", (nth) =>
      reply(nth, nth === 1 ? undefined : unknown),
    );
    expect(await probeSecretService(address, 0)).toMatchObject({ kind: "absent" });
  });

  test("whose service cannot be started has none either", async () => {
    const failed = "org.freedesktop.DBus.Error.Spawn.ChildExited";
    const address = await startBus("OK 0\r\n", (nth) => reply(nth, nth === 1 ? undefined : failed));
    expect(await probeSecretService(address, 0)).toMatchObject({ kind: "absent" });
  });

  test("whose service fails has one that is not to be used", async () => {
    const failed = "org.freedesktop.DBus.Error.NoReply";
    const address = await startBus("OK 0\r\n", (nth) => reply(nth, nth === 1 ? undefined : failed));
    expect(await probeSecretService(address, 0)).toMatchObject({ kind: "mute" });
  });

  test("that refuses this user is none", async () => {
    const address = await startBus("REJECTED EXTERNAL\r\n", () => Buffer.alloc(0));
    expect(await probeSecretService(address, 0)).toMatchObject({ kind: "absent" });
  });

  test("that floods is not read for ever", async () => {
    const flood = Buffer.alloc(300 * 1024, 0x6c);
    const address = await startBus("OK 0\r\n", () => flood);
    expect(await probeSecretService(address, 0)).toMatchObject({ kind: "mute" });
  });

  test("that talks of other things first is heard out", async () => {
    const signal = reply(1);
    signal[1] = 4;
    const unknown = "org.freedesktop.DBus.Error.ServiceUnknown";
    const address = await startBus("OK 0\r\n", (nth) =>
      Buffer.concat([signal, reply(77), reply(nth, nth === 1 ? undefined : unknown)]),
    );
    expect(await probeSecretService(address, 0)).toMatchObject({ kind: "absent" });
  });
});

test("a message that breaks the format is no reply", () => {
  const torn = reply(1);
  torn.writeUInt32LE(4000, 12);
  expect(decodeReply(torn)).toBeUndefined();
});
