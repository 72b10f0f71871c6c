// What a session needs of the machine, the same in each thread: clocks, entropy, inflating, clearing. How it reaches granted files
// and standard input depends on the wall.
import type { SessionPowers } from "../../host/session.ts";
import { nodeEntropy } from "./entropy.ts";
import { monotonicMs, nodeClock, nodeMemory } from "./powers.ts";
import { makeThreadCpuClock } from "./thread-cpu.ts";

export function makeSessionPowers(
  granted: Pick<
    SessionPowers,
    "openHostFile" | "createHostFile" | "readHostInput" | "askTree" | "pieceBytes" | "callHost" | "waits"
  >,
): SessionPowers {
  return {
    clock: nodeClock,
    entropy: nodeEntropy,
    memory: nodeMemory,
    monotonicMs,
    threadCpuMs: makeThreadCpuClock(),
    ...granted,
  };
}
