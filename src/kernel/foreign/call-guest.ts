// The kernel calling back into the guest, through a place of the function table that the guest chose. Whatever the called code
// does wrong (a trap, the end of the engine's stack, a value of the wrong type) is the guest's own crash.
import { GuestStop } from "../guest-stop.ts";
import type { Kernel } from "../kernel.ts";

/** The function at that index; undefined when there is none. */
export function tableEntry(kernel: Kernel, index: number): CallableFunction | undefined {
  const { table } = kernel.machine;
  const at = index >>> 0;
  const entry: unknown = at < table.length ? table.get(at) : null;
  return typeof entry === "function" ? (entry as CallableFunction) : undefined;
}

/** Numbers become i32, f32 and f64 as the callee declares, bigints i64; arguments too many are dropped. */
export function callGuest(
  kernel: Kernel,
  target: CallableFunction,
  values: readonly (number | bigint)[],
): unknown {
  try {
    return target(...values);
  } catch (error) {
    if (error instanceof GuestStop) throw error;
    const detail = ownFault(error);
    if (detail === undefined) throw error;
    throw kernel.stop({ kind: "trap", detail });
  }
}

function ownFault(error: unknown): string | undefined {
  if (error instanceof WebAssembly.RuntimeError) return error.message;
  if (error instanceof RangeError) return "the engine's stack is exhausted";
  // The engine refuses to turn a number into an i64, or a bigint into anything else: no import lets another TypeError out.
  if (error instanceof TypeError) return "a function was called with values of the wrong type";
  if (error instanceof WebAssembly.Exception) return "an exception left a function that the kernel called";
  return undefined;
}
