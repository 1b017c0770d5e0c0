import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Both halves of the room in which V8 makes new objects, in bytes; of itself it goes to twice as much. */
const most = 16 * 1024 * 1024;
const lookMs = 250;

/**
 * Lets the room for young objects grow to 16 MiB and no further: a call has some 50 kB of them for less than a
 * millisecond, so that a larger room only holds more garbage. V8 sets its own bound when it starts, by Node's flags
 * alone; what can be set later is by how much it grows. Who gives Node a larger `--min-semi-space-size` has that.
 * @returns ends the looking
 */
export function boundYoungGeneration(): () => void {
  const looking = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    if (young === undefined || young.space_size < most) return;
    setFlagsFromString("--semi-space-growth-factor=1");
    clearInterval(looking);
  }, lookMs).unref();
  return () => clearInterval(looking);
}
