import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { peerOf, socketOwner } from "../../../../src/cli/sign-in/web/socket-owner.ts";

const head =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (local: string, remote: string, uid: number, inode = 6835077): string =>
  `  10: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000 ${uid}        0 ${inode} 1 00000000ac587079 20 0 0 11 -1`;
const near = { address: "127.0.0.1", port: 0xe98c };
const far = { address: "127.0.0.1", port: 0xac8b };
const owner = (...rows: string[]) => socketOwner([[head, ...rows, ""].join("\n")], near, far, "LE");

describe("whose socket it is, in the tables of Linux", () => {
  it("is said by the line of that end", () => {
    const rows = [
      row("0100007F:AC8B", "0100007F:E98C", 1),
      row("0100007F:E98C", "0100007F:AC8C", 2),
      row("0200007F:E98C", "0100007F:AC8B", 3),
    ];
    expect(owner(...rows, row("0100007F:E98C", "0100007F:AC8B", 1000))).toBe(1000);
    expect(owner(...rows)).toBeUndefined();
    expect(owner()).toBeUndefined();
  });

  it("is not root's because nobody holds it", () => {
    expect(owner(row("0100007F:E98C", "0100007F:AC8B", 0))).toBe(0);
    expect(owner(row("0100007F:E98C", "0100007F:AC8B", 0, 0))).toBe("gone");
  });

  it("is said of an IPv6 socket that holds an IPv4 connection", () => {
    const mapped = "0000000000000000FFFF00000100007F";
    expect(owner(row(`${mapped}:E98C`, `${mapped}:AC8B`, 1001))).toBe(1001);
  });

  it("is said by machines of the other byte order", () => {
    const mapped = "00000000000000000000FFFF7F000001";
    const local = row("7F000001:E98C", "7F000001:AC8B", 1002);
    expect(socketOwner([local], near, far, "BE")).toBe(1002);
    const sixth = row(`${mapped}:E98C`, `${mapped}:AC8B`, 1003);
    expect(socketOwner([sixth], near, far, "BE")).toBe(1003);
  });

  it("is not known from what is no table", () => {
    expect(socketOwner(["", "nonsense\n1 2 3"], near, far)).toBeUndefined();
  });
});

describe.runIf(process.platform === "linux")("a peer on this machine", () => {
  const me = process.getuid?.() ?? 0;
  let server: Server;
  let clients: Socket[];
  beforeEach(async () => {
    clients = [];
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => {
    for (const client of clients) client.destroy();
    server.close();
  });

  async function meet(options: { host?: string; localAddress?: string }) {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const came: Promise<Socket[]> = once(server, "connection");
    const client = connect({ host: "127.0.0.1", port, ...options });
    const [socket] = await came;
    if (socket === undefined) throw new Error("nobody came");
    clients.push(client, socket);
    const { remoteAddress = "", remotePort = 0 } = socket;
    const peer = { address: remoteAddress, port: remotePort };
    return { client, socket, peer, here: { address: "127.0.0.1", port } };
  }

  it.each([{}, { host: "::ffff:127.0.0.1" }, { localAddress: "127.0.0.2" }])(
    "is known by its user, however it connects: %o",
    async (options) => {
      const { peer, here } = await meet(options);
      expect(await peerOf(peer, here)).toBe("own");
      // Root may always come.
      expect(await peerOf(peer, here, { uid: me + 1 })).toBe(me === 0 ? "own" : "other");
    },
  );

  it("is nobody's when it has hung up", async () => {
    const { client, socket, peer, here } = await meet({});
    socket.resume();
    client.end();
    await once(socket, "end");
    client.destroy();
    expect(await peerOf({}, here)).toBe("gone");
    expect(await peerOf(peer, here)).toBe("gone");
  });

  it("is taken for this user's where nobody can say", async () => {
    const here = { address: "127.0.0.1", port: 1 };
    expect(await peerOf({ address: "127.0.0.1", port: 1 }, here)).toBe("own");
    expect(await peerOf({}, here, { platform: "darwin" })).toBe("own");
  });
});
