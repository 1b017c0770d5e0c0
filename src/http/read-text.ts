import type { Readable } from "node:stream";

/**
 * A stream's text (UTF-8); undefined when it is longer, of which nothing is kept.
 * @param mostBytes beyond which no more is taken in
 * @throws what the stream failed with, when its sender goes away among others
 */
export function readText(stream: Readable, mostBytes: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = (): void => {
      stream.off("data", take).off("end", end).off("error", fail).off("close", closed);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= mostBytes) return;
      done();
      resolve(undefined);
    };
    const end = (): void => {
      done();
      resolve(Buffer.concat(chunks, bytes).toString("utf8"));
    };
    const fail = (error: Error): void => {
      done();
      reject(error);
    };
    const closed = (): void => fail(new Error("The body ended early"));
    stream.on("data", take).on("end", end).on("error", fail).on("close", closed);
  });
}
