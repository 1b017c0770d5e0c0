// Loaded into the gateway's process before it (`node --expose-gc --import`): when the soak asks over the
// IPC channel, it collects garbage and says what is left. It keeps nothing alive and changes nothing else.
process.on("message", (id) => {
  /** @type {{gc?: () => void}} */ (globalThis).gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ id, live: heapUsed + external, rss });
});
process.channel?.unref();
