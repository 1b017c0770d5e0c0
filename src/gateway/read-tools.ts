import type { Catalog } from "../core/catalog.ts";
import type { ServerAccess, ServerConfiguration } from "../core/configuration.ts";
import type { Listing, Tool } from "../core/mcp.ts";
import { toolAccess } from "../core/tool-access.ts";

type Configured = ReadonlyMap<string, ServerConfiguration>;

/**
 * What is listed to those who may only read: everything but the tools that change things. Made once for each
 * catalog and listing, and again when the configuration was loaded again.
 */
export interface ReadTools {
  /** The same catalog with shorter lists; a tool that is left out is still found by its name. */
  catalog(catalog: Catalog, configured: Configured): Catalog;
  listing(listing: Listing, access: ServerAccess): Listing;
}

export function createReadTools(): ReadTools {
  const catalogs = new WeakMap<Catalog, { configured: Configured; made: Catalog }>();
  /** Who holds what was made holds what it was made of: there is never another of either. */
  const bases = new WeakMap<Catalog, Catalog>();
  const listings = new WeakMap<Listing, { access: ServerAccess; made: Listing }>();
  return {
    catalog(catalog, configured) {
      const known = catalogs.get(catalog);
      if (known?.configured === configured) return known.made;
      const made = readCatalog(catalog, configured);
      catalogs.set(catalog, { configured, made });
      bases.set(made, catalog);
      return made;
    },
    listing(listing, access) {
      const known = listings.get(listing);
      if (known?.access === access) return known.made;
      const tools = listing.tools.filter((tool) => toolAccess(access, tool) === "read");
      const made = { ...listing, tools };
      listings.set(listing, { access, made });
      return made;
    },
  };
}

function readCatalog(catalog: Catalog, configured: Configured): Catalog {
  const reads = ({ name }: Tool): boolean => {
    // What it is decided by is the tool as its server lists it, not the copy that clients are listed.
    const found = catalog.tools.get(name);
    const server = found && configured.get(found.server);
    if (found === undefined || server === undefined) return false;
    return toolAccess(server.access, found.entry) === "read";
  };
  const { legacy, modern } = catalog.listings;
  const tools = modern.tools.filter(reads);
  const legacyTools = legacy.tools === modern.tools ? tools : legacy.tools.filter(reads);
  return {
    ...catalog,
    listings: { legacy: { ...legacy, tools: legacyTools }, modern: { ...modern, tools } },
  };
}
