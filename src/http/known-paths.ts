import type { RouteOptions } from "fastify";

/** A path that has routes, and what is said of it to a request whose method has none. */
export interface KnownPath {
  methods: ReadonlySet<string>;
  isPublic: boolean;
  tokenInQuery: boolean;
}

/** Which paths there are: the router tells only whether path and method fit together. */
export interface KnownPaths {
  add(route: Pick<RouteOptions, "url" | "method" | "config">): void;
  /** @param path as it was asked for, without the query */
  find(path: string): KnownPath | undefined;
}

interface Entry extends KnownPath {
  /** A segment that begins with `:` stands for any that is not empty. */
  pattern: readonly string[];
  methods: Set<string>;
}

export function createKnownPaths(): KnownPaths {
  const entries = new Map<string, Entry>();
  return {
    add({ url, method, config }) {
      const entry = entries.get(url) ?? {
        pattern: url.split("/"),
        methods: new Set(),
        isPublic: config?.access === "public",
        tokenInQuery: config?.tokenInQuery ?? false,
      };
      for (const each of [method].flat()) entry.methods.add(each);
      entries.set(url, entry);
    },
    find(path) {
      const segments = path.split("/");
      for (const entry of entries.values()) {
        if (fits(entry.pattern, segments)) return entry;
      }
      return undefined;
    },
  };
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, at) =>
    part.startsWith(":") ? segments[at] !== "" : segments[at] === part,
  );
}
