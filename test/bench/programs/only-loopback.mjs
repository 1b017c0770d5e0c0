// Loaded before a program (`node --import`) that can only listen on every address of the machine: it listens on
// 127.0.0.1 alone.
import { Server } from "node:net";

// oxlint-disable-next-line typescript/unbound-method -- it is bound where it is applied.
Server.prototype.listen = new Proxy(Server.prototype.listen, {
  apply(listen, server, args) {
    const [port, host] = args;
    const isPortAlone = /^\d+$/u.test(String(port)) && typeof host !== "string";
    const given = isPortAlone ? [port, "127.0.0.1", ...args.slice(1)] : args;
    return Reflect.apply(listen, server, given);
  },
});
