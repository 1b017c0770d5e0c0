import { performance } from "node:perf_hooks";
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

/**
 * What the process uses, read when it is asked for: nothing here runs between two scrapes. (The library's own
 * collection would keep a timer of ten milliseconds and an observer of every garbage collection.)
 */
export function addProcessMetrics(registry: Registry): void {
  const metrics = [
    new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory size in bytes.",
      registers: [],
      collect() {
        this.set(process.memoryUsage.rss());
      },
    }),
    new Gauge({
      name: "nodejs_heap_size_used_bytes",
      help: "Used part of the JavaScript heap in bytes.",
      registers: [],
      collect() {
        this.set(process.memoryUsage().heapUsed);
      },
    }),
    new Gauge({
      name: "process_start_time_seconds",
      help: "Start of the process in seconds since the epoch.",
      registers: [],
      collect() {
        this.set(performance.timeOrigin / 1000);
      },
    }),
    new Counter({
      name: "process_cpu_seconds_total",
      help: "CPU time of the process, user and system, in seconds.",
      registers: [],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    }),
    new Counter({
      name: "nodejs_eventloop_time_seconds_total",
      help: "Time the event loop spent in each state (active, idle), in seconds.",
      labelNames: ["nodejs_eventloop_state"] as const,
      registers: [],
      collect() {
        const { active, idle } = performance.eventLoopUtilization();
        this.reset();
        this.inc({ nodejs_eventloop_state: "active" }, active / 1000);
        this.inc({ nodejs_eventloop_state: "idle" }, idle / 1000);
      },
    }),
  ];
  for (const metric of metrics) registry.registerMetric(metric);
}
