import { Readable } from "node:stream";

/**
 * A body that comes byte by byte, in one Buffer that is written over each time: who keeps the pieces instead of copying
 * them has the last byte only.
 */
export function inOnePiece(text: string, piece: Buffer = Buffer.alloc(1)): Readable {
  const stream = new Readable({ read: () => undefined });
  const begin = (): void => {
    for (const byte of Buffer.from(text)) {
      piece[0] = byte;
      stream.emit("data", piece);
      if (stream.listenerCount("data") === 0) return;
    }
    stream.emit("end");
  };
  stream.on("newListener", (event) => {
    if (event === "data") setImmediate(begin);
  });
  return stream;
}
