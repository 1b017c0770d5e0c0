import type { Socket } from "node:net";
import { AppError } from "../core/errors.ts";
import { securityHeaders } from "./gateway-response.ts";

/** Time for an answer to reach a client that was told to go, in milliseconds. */
export const farewellMs = 500;

const clientErrors: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    "The request's headers are too large",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not arrive in time"],
};

const securityLines = securityHeaders.map(([name, value]) => `${name}: ${value}\r\n`).join("");

/** What is not HTTP gets an answer in it all the same, and its connection closed. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // It has its answer already, in the clear.
  if (error.code === "ERR_SSL_HTTP_REQUEST") return;
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, message] = clientErrors[error.code ?? ""] ?? [
    "400 Bad Request",
    "The request is not valid HTTP",
  ];
  answerAndEnd(socket, status, new AppError("usage", message));
}

/** HTTP without TLS where TLS is spoken. */
export function answerPlainHttp(socket: Socket): void {
  answerAndEnd(
    socket,
    "400 Bad Request",
    new AppError("usage", "Only https is spoken here", { hint: "Begin the address with https://" }),
  );
}

function answerAndEnd(socket: Socket, status: string, error: AppError): void {
  const body = JSON.stringify(error.toBody());
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n${securityLines}\r\n${body}`,
  );
  // A client that does not close must not keep its connection by that; at once, and it might lose the answer.
  setTimeout(() => socket.destroy(), farewellMs).unref();
}
