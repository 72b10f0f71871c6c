// What a session needs of the machine, the same in each thread: clocks, entropy, inflating, clearing, standard input.
import { readSync } from "node:fs";
import type { SessionPowers } from "../../host/session.ts";
import { clearMemory, inflateRaw, monotonicMs, nodeClock, nodeEntropy } from "./powers.ts";
import { makeThreadCpuClock } from "./thread-cpu.ts";

export function makeSessionPowers(
  files: Pick<SessionPowers, "openHostFile" | "createHostFile">,
): SessionPowers {
  return {
    clock: nodeClock,
    entropy: nodeEntropy,
    inflate: inflateRaw,
    clearMemory,
    monotonicMs,
    threadCpuMs: makeThreadCpuClock(),
    readHostInput,
    openHostFile: files.openHostFile,
    createHostFile: files.createHostFile,
  };
}

/** The process's own standard input, in the thread that calls; a non-blocking descriptor is asked again after a pause. */
function readHostInput(target: Uint8Array, pause: (milliseconds: number) => void): number {
  for (;;) {
    try {
      return readSync(0, target, 0, target.length, null);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      pause(5);
    }
  }
}
