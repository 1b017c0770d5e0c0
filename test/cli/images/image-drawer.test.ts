import { expect, test } from "vitest";
import { createImageDrawer } from "../../../src/cli/images/image-drawer.ts";

const endless = new URL("data:text/javascript,for(;;);");
const job = {
  way: "kitty",
  bytes: new Uint8Array(1),
  header: { kind: "jpeg", width: 1, height: 1, scans: 1 },
  columns: undefined,
} as const;

test("a decoder without an end is ended by Ctrl-C", async () => {
  const controller = new AbortController();
  const drawer = createImageDrawer(endless, controller.signal, 600_000);
  const drawn = drawer.draw(job);
  setImmediate(() => controller.abort());
  expect(await drawn).toBeUndefined();
  drawer.close();
});

test("and by its limit, which is one for all images", async () => {
  const drawer = createImageDrawer(endless, new AbortController().signal, 20);
  expect([await drawer.draw(job), await drawer.draw(job)]).toEqual([undefined, undefined]);
  drawer.close();
});
