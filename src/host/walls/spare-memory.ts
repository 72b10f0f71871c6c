// The memory that an inline sandbox leaves to the next one in this thread. A new one costs seven milliseconds: the system gives out each
// page when it is first touched, and takes it back some time later.

/** Held weakly: a large collection of garbage takes it, if nobody has by then. */
let spare: WeakRef<WebAssembly.Memory> | undefined;

/** Nothing that has had the memory may write to it any more. */
export function leaveMemory(memory: WebAssembly.Memory): void {
  spare = new WeakRef(memory);
}

/** One of exactly that size, with whatever its last user left in it. */
export function takeMemory(bytes: number): WebAssembly.Memory | undefined {
  const memory = spare?.deref();
  if (memory?.buffer.byteLength !== bytes) return undefined;
  spare = undefined;
  return memory;
}
