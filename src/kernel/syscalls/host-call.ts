// The call of Python's to the host: bytes in, bytes out (interpreter/host-call.ts). It has no errno to fail with.
import { GuestRangeFault } from "../../abi/guest-memory.ts";
import type { Kernel } from "../kernel.ts";
import { KernelError } from "../kernel-error.ts";

/** PyBytesObject in a build of 32 bits: ob_size, ob_sval (Include/cpython/bytesobject.h). */
const layout = { size: 8, content: 16 } as const;
const nothing = new Uint8Array(0);
const bytesPerUnit = 16;

/** (self, bytes object, 0, 0) -> bytes object: the answer, empty where nobody answers; 0 with MemoryError set. */
export function hostCall(kernel: Kernel, _self: number, argument: number): number {
  const request = requestAt(kernel, argument);
  const sent = request.length;
  const answer = answerOf(kernel, request);
  kernel.charge(Math.ceil((sent + answer.length) / bytesPerUnit));
  return kernel.machine.makeBytes(answer);
}

/** Whether it is a bytes object at all does not matter: any range of its own memory is the guest's to send. */
function requestAt(kernel: Kernel, argument: number): Uint8Array {
  const { memory } = kernel;
  try {
    const length = memory.getU32(argument + layout.size);
    return memory.slice(argument + layout.content, length);
  } catch (error) {
    // An errno would be taken for the address of an object.
    if (!(error instanceof GuestRangeFault)) throw error;
    throw kernel.stop({ kind: "refused", detail: "the host without a request" });
  }
}

function answerOf(kernel: Kernel, request: Uint8Array): Uint8Array {
  try {
    return kernel.process.calls.call(request);
  } catch (error) {
    if (error instanceof KernelError) return nothing;
    throw error;
  }
}
