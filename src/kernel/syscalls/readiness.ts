// poll(2), under which select(2) and Python's selectors stand. Nobody outside of the guest's one thread can make a
// descriptor ready while it waits, so a wait that finds nothing ready simply sleeps for its time.
import { poll as events, open } from "../../abi/flags.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";

const pollfdBytes = 8;

/** (pollfd*, count, timeout in ms; negative waits for ever) -> how many are ready. */
export function poll(kernel: Kernel, address: number, count: number, timeoutMs: number): number {
  const { memory, process } = kernel;
  if (count < 0 || count > process.limits.openFiles) fail("EINVAL");
  if (count > 0) memory.check(address, count * pollfdBytes);
  let ready = 0;
  for (let i = 0; i < count; i++) {
    const at = address + i * pollfdBytes;
    const result = pollOne(kernel, memory.getI32(at), memory.getU16(at + 4));
    memory.setU16(at + 6, result);
    if (result !== 0) ready++;
  }
  if (ready > 0 || timeoutMs === 0) return ready;
  // Not EINTR after a signal: it would be lost on the way through this libc's select, and asyncio's loop, which nothing else can wake,
  // would wait again. What the signal does is done when the call has come back.
  process.clocks.sleepMs(timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs);
  return 0;
}

function pollOne(kernel: Kernel, fd: number, wanted: number): number {
  if (fd < 0) return 0;
  const file = kernel.process.fds.find(fd);
  if (file === undefined || file.flags & open.PATH) return events.NVAL;
  const readiness = file.readiness();
  let result = 0;
  if (readiness.readable) result |= wanted & (events.IN | events.RDNORM);
  if (readiness.writable) result |= wanted & (events.OUT | events.WRNORM);
  if (readiness.hangUp) result |= events.HUP;
  if (readiness.error) result |= events.ERR;
  return result;
}
