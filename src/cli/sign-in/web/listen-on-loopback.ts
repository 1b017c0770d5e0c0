import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError } from "../../../core/errors.ts";
import { systemErrorCode } from "../../../core/system-error-code.ts";

/**
 * Listens on 127.0.0.1.
 * @param port 0: a free one
 * @returns the port
 * @throws AppError `usage`: the port is taken, or not to be had
 */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(portError(port, error));
    });
    server.listen(port, "127.0.0.1", () => {
      server.removeAllListeners("error");
      // A connection that breaks while it is taken is nobody's loss.
      server.on("error", () => undefined);
      const address = server.address();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has one
      resolve((address as AddressInfo).port);
    });
  });
}

function portError(port: number, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === "EADDRINUSE") {
    return new AppError("usage", `Port ${port} of 127.0.0.1 is in use`, {
      hint: "Name another with --callback-port, or none: then a free one is taken",
      cause: error,
    });
  }
  if (code === "EACCES") {
    return new AppError("usage", `Port ${port} of 127.0.0.1 is not for this user`, {
      hint: "Name one above 1023 with --callback-port, or none: then a free one is taken",
      cause: error,
    });
  }
  return error;
}
