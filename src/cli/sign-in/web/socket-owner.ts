import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { endianness } from "node:os";

/** One end of a TCP connection over IPv4. */
export interface SocketEnd {
  address: string;
  port: number;
}

/**
 * Whose socket one end of a connection on this machine is.
 * @param tables what Linux says in `/proc/net/tcp` and `/proc/net/tcp6`: a socket of IPv6 can hold an IPv4 connection
 * @returns the user's number; `gone` where no program holds it any more: Linux says 0 then, which is no owner; undefined
 *   where it is in no table
 */
export function socketOwner(
  tables: readonly string[],
  near: SocketEnd,
  far: SocketEnd,
  order: "BE" | "LE" = endianness(),
): number | "gone" | undefined {
  const wanted = new Set([
    `${hexOf(near, order)} ${hexOf(far, order)}`,
    `${mappedHexOf(near, order)} ${mappedHexOf(far, order)}`,
  ]);
  for (const line of tables.flatMap((table) => table.split("\n"))) {
    const [, local, remote, , , , , uid, , inode] = line.trim().split(/\s+/u);
    if (inode === undefined || !wanted.has(`${local} ${remote}`)) continue;
    return inode === "0" ? "gone" : Number(uid);
  }
  return undefined;
}

/**
 * Who is at the other end of a connection on this machine.
 * @returns `own`: this user or root, and where nobody can say (another system than Linux, no such table); `gone`: it has
 *   hung up
 */
export async function peerOf(
  peer: Partial<SocketEnd>,
  here: SocketEnd,
  { uid = process.getuid?.(), platform = process.platform } = {},
): Promise<"own" | "other" | "gone"> {
  if (platform !== "linux" || uid === undefined) return "own";
  const { address, port } = peer;
  if (address === undefined || port === undefined) return "gone";
  // A table that changes while it is read can lack a line: it is read twice.
  for (let read = 0; read < 2; read += 1) {
    const owner = socketOwner(await readTables(), { address, port }, here);
    if (owner === "gone") return owner;
    if (owner !== undefined) return owner === uid || owner === 0 ? "own" : "other";
  }
  return "own";
}

async function readTables(): Promise<string[]> {
  const files = ["/proc/net/tcp", "/proc/net/tcp6"];
  return Promise.all(files.map((file) => readFile(file, "latin1").catch(() => "")));
}

/** As the tables write it: the address as one number of the machine's byte order. */
function hexOf({ address, port }: SocketEnd, order: "BE" | "LE"): string {
  const bytes = isIPv4(address) ? address.split(".").map(Number) : [];
  return `${hexNumber(bytes, order)}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The same as an address of IPv6 (RFC 4291 §2.5.5.2): four such numbers. */
function mappedHexOf(end: SocketEnd, order: "BE" | "LE"): string {
  return `${"0".repeat(16)}${hexNumber([0, 0, 255, 255], order)}${hexOf(end, order)}`;
}

function hexNumber(bytes: readonly number[], order: "BE" | "LE"): string {
  const inOrder = order === "LE" ? bytes.toReversed() : bytes;
  return Buffer.from(inOrder).toString("hex").toUpperCase();
}
