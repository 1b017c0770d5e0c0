// Run in a process of its own: takes the state directory given, says so, and waits to be killed.
// Arguments: the worker's URL, the database, the lock file.
import { Worker } from "node:worker_threads";

const [url = "", file = "", lockFile = ""] = process.argv.slice(2);
const start = { file, lockFile, newInstanceId: "the other process", nowMs: 0 };
const worker = new Worker(new URL(url));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
worker.postMessage(start);
worker.on("message", ({ kind }: { kind: string }) => process.stdout.write(`${kind}\n`));
