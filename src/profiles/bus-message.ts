/**
 * The little of the D-Bus wire format ("Message Protocol") that is needed to ask for a text, a path or a
 * boolean. Whoever reads these messages is the session bus of the same user.
 */
export interface BusReply {
  /** Serial of the call this answers. */
  replyTo: number | undefined;
  /** Name of the error (`org.freedesktop.DBus.Error.…`); undefined for a proper answer. */
  error: string | undefined;
  /** The first value of the body, where it is of a type known here. */
  value: string | boolean | undefined;
}

const fieldCode = {
  path: 1,
  interface: 2,
  member: 3,
  error: 4,
  replyTo: 5,
  destination: 6,
  signature: 8,
};

function alignUp(offset: number, boundary: number): number {
  return Math.ceil(offset / boundary) * boundary;
}

class Writer {
  #bytes: number[] = [];
  align(boundary: number): void {
    while (this.#bytes.length % boundary !== 0) this.#bytes.push(0);
  }
  byte(value: number): void {
    this.#bytes.push(value);
  }
  uint32(value: number): void {
    this.align(4);
    this.#bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
  }
  string(text: string): void {
    const bytes = Buffer.from(text);
    this.uint32(bytes.length);
    this.#bytes.push(...bytes, 0);
  }
  signature(text: string): void {
    this.#bytes.push(text.length, ...Buffer.from(text), 0);
  }
  append(other: Buffer): void {
    this.#bytes.push(...other);
  }
  toBuffer(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

/** A method call, little-endian, whose arguments are all text. */
export function encodeCall(
  serial: number,
  call: {
    destination: string;
    path: string;
    interface: string;
    member: string;
    arguments: readonly string[];
  },
): Buffer {
  const body = new Writer();
  for (const text of call.arguments) body.string(text);

  const fields = new Writer();
  const field = (code: number, type: string, write: () => void): void => {
    fields.align(8);
    fields.byte(code);
    fields.signature(type);
    write();
  };
  field(fieldCode.path, "o", () => fields.string(call.path));
  field(fieldCode.interface, "s", () => fields.string(call.interface));
  field(fieldCode.member, "s", () => fields.string(call.member));
  field(fieldCode.destination, "s", () => fields.string(call.destination));
  if (call.arguments.length > 0) {
    field(fieldCode.signature, "g", () => fields.signature("s".repeat(call.arguments.length)));
  }

  const message = new Writer();
  const bodyBytes = body.toBuffer();
  const fieldBytes = fields.toBuffer();
  message.append(Buffer.from([0x6c /* "l": little-endian */, 1 /* method call */, 0, 1]));
  message.uint32(bodyBytes.length);
  message.uint32(serial);
  message.uint32(fieldBytes.length);
  message.append(fieldBytes);
  message.align(8);
  message.append(bodyBytes);
  return message.toBuffer();
}

/** Length of the message at the start of `bytes`; undefined while its head is not all there. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < 16) return undefined;
  const uint32 = reader(bytes);
  return alignUp(16 + uint32(12), 8) + uint32(4);
}

function reader(bytes: Buffer): (offset: number) => number {
  const little = bytes[0] === 0x6c;
  return (offset) => (little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
}

/** Reads a whole message. Undefined for one that is no reply (a signal), or that breaks the format. */
export function decodeReply(message: Buffer): BusReply | undefined {
  const type = message[1];
  if (type !== 2 && type !== 3) return undefined;
  try {
    const fields = decodeFields(message);
    const error = fields.get(fieldCode.error);
    const replyTo = fields.get(fieldCode.replyTo);
    const signature = fields.get(fieldCode.signature);
    const body = alignUp(16 + reader(message)(12), 8);
    return {
      replyTo: typeof replyTo === "number" ? replyTo : undefined,
      error: type === 3 ? String(error) : undefined,
      value: typeof signature === "string" ? decodeValue(message, body, signature) : undefined,
    };
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

function decodeFields(message: Buffer): Map<number, string | number> {
  const uint32 = reader(message);
  const end = 16 + uint32(12);
  const fields = new Map<number, string | number>();
  let at = 16;
  while (at < end) {
    at = alignUp(at, 8);
    const code = message.readUInt8(at);
    const type = String.fromCodePoint(message.readUInt8(at + 2));
    at += 4; // code, then the signature: its length (1), its letter, NUL
    if (type === "g") {
      const length = message.readUInt8(at);
      fields.set(code, message.toString("latin1", at + 1, at + 1 + length));
      at += length + 2;
    } else if (type === "u") {
      at = alignUp(at, 4);
      fields.set(code, uint32(at));
      at += 4;
    } else {
      at = alignUp(at, 4);
      const length = uint32(at);
      fields.set(code, message.toString("utf8", at + 4, at + 4 + length));
      at += length + 5;
    }
  }
  return fields;
}

function decodeValue(message: Buffer, at: number, signature: string): string | boolean | undefined {
  const uint32 = reader(message);
  const type = signature[0];
  if (type === "s" || type === "o") {
    const start = alignUp(at, 4);
    return message.toString("utf8", start + 4, start + 4 + uint32(start));
  }
  if (type === "b") return uint32(alignUp(at, 4)) === 1;
  if (type === "v") {
    const length = message.readUInt8(at);
    const inner = message.toString("latin1", at + 1, at + 1 + length);
    return decodeValue(message, at + length + 2, inner);
  }
  return undefined;
}
