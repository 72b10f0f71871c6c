// The one thing that may unwind through wasm frames: the guest is over and its memory will not be run again. It is thrown
// by import handlers, remembered by the kernel, and thrown anew by every later import, so no wasm handler can outlive it.

export type StopReason =
  /** The guest ended its process (os._exit, exit(3)). */
  | { readonly kind: "exit"; readonly status: number }
  /** abort(3), a failed assertion, Py_FatalError. */
  | { readonly kind: "abort"; readonly detail: string }
  /** A budget is spent. `budget` and `used` are in the unit of the limit: bytes, milliseconds, or units of fuel. */
  | {
      readonly kind: "limit";
      readonly limit: "output" | "wall" | "cpu" | "fuel" | "hostMemory";
      readonly budget: number;
      readonly used: number;
    }
  /** Whoever asked for the run has withdrawn. */
  | { readonly kind: "cancelled" }
  /** The engine's own stack ended within a handler. */
  | { readonly kind: "stack" }
  /** The guest called an import that is refused altogether. */
  | { readonly kind: "refused"; readonly detail: string }
  /** Code of the guest that the kernel had called (a signal handler, a foreign call) crashed. `detail` holds nothing of the host. */
  | { readonly kind: "trap"; readonly detail: string }
  /** A host exception that no handler expected: our bug or an attack. Its text never reaches the guest. */
  | { readonly kind: "fault"; readonly detail: string };

export class GuestStop {
  readonly reason: StopReason;
  constructor(reason: StopReason) {
    this.reason = reason;
  }
}
