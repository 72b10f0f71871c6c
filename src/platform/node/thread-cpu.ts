// Processor time of one thread: of the calling one, and of another one of this process or of a child as seen from outside.
import { openSync, readFileSync, readlinkSync, readSync } from "node:fs";

type ThreadCpuUsage = () => { readonly user: number; readonly system: number };

/** Since Node 23.9, in microseconds. */
const ownUsage = (process as { threadCpuUsage?: ThreadCpuUsage }).threadCpuUsage;

/**
 * Milliseconds of processor time of the thread that calls this, each time the result is called by the same thread; undefined
 * where the system does not tell. Holds one descriptor open on Linux before Node 23.9: opening it anew costs ten times a read.
 */
export function makeThreadCpuClock(): () => number | undefined {
  if (ownUsage) {
    return () => {
      const { user, system } = ownUsage.call(process);
      return (user + system) / 1000;
    };
  }
  let fd: number;
  try {
    fd = openSync("/proc/thread-self/schedstat", "r");
  } catch {
    return () => undefined;
  }
  const text = Buffer.alloc(128);
  return () => nanosecondsToMs(text.toString("latin1", 0, readSync(fd, text, 0, text.length, 0)));
}

/** Milliseconds of processor time of this process, with all of its threads, the engine's too. */
export function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Names the calling thread for `otherThreadCpuMs`; undefined where threads have no such name. */
export function ownThread(): string | undefined {
  try {
    return readlinkSync("/proc/thread-self");
  } catch {
    return undefined;
  }
}

/** Milliseconds of processor time of the thread of that name; undefined once it is gone, or where the system does not tell. */
export function otherThreadCpuMs(thread: string): number | undefined {
  try {
    return nanosecondsToMs(readFileSync(`/proc/${thread}/schedstat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** The first child of a process of this system; undefined where it has none, or where the system does not tell. */
export function firstChild(pid: number): number | undefined {
  try {
    const child = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1"), 10);
    return Number.isNaN(child) ? undefined : child;
  } catch {
    return undefined;
  }
}

/** The first number of schedstat is nanoseconds on a processor (Linux, Documentation/scheduler/sched-stats.rst). */
function nanosecondsToMs(schedstat: string): number | undefined {
  const nanoseconds = Number.parseInt(schedstat, 10);
  return Number.isNaN(nanoseconds) ? undefined : nanoseconds / 1e6;
}
