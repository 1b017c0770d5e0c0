import type { SecureContext } from "node:tls";
import { setNetwork } from "../../../src/client/network.ts";
import { startProxyStandIn } from "../../fixtures/proxy-stand-in.ts";

/** How questions get to a server of the test, and under which address. */
export interface Way {
  /** The server's own address as this way knows it. */
  at(url: string): string;
  /** What messages say of it, behind the server's address. */
  shown: string;
  close(): Promise<void>;
}

type OpenWay = (authorities?: () => SecureContext) => Promise<Way>;

export const directly: OpenWay = (authorities) => {
  setNetwork({ proxies: {}, authorities });
  return Promise.resolve({
    at: (url) => url,
    shown: "",
    close: () => Promise.resolve(setNetwork({ proxies: {} })),
  });
};

/** The same questions must fare alike on each of them. */
export const ways: readonly (readonly [name: string, open: OpenWay])[] = [
  ["directly", directly],
  [
    "through a proxy",
    async (authorities) => {
      const proxy = await startProxyStandIn();
      const variable = { name: "HTTPS_PROXY", value: proxy.url };
      setNetwork({ proxies: { http: variable, https: variable }, authorities });
      return {
        at: (url) => url.replace(/127\.0\.0\.1|localhost/u, "target.test"),
        shown: ` through the proxy ${proxy.url}`,
        close() {
          setNetwork({ proxies: {} });
          return proxy.close();
        },
      };
    },
  ],
];
