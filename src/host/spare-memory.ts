// The memory that an inline sandbox leaves, for the next one in this thread: four milliseconds of it are the system's, who gives out each
// page as zeros when it is first touched.

/** Nobody is kept from being rid of it: the next large collection of garbage takes it where nobody has by then. */
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
