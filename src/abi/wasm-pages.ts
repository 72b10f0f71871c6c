// The unit in which WebAssembly gives out memory.

export const wasmPageBytes = 65_536;

/** `bytes`, rounded up to whole pages. */
export function wholePages(bytes: number): number {
  return Math.ceil(bytes / wasmPageBytes) * wasmPageBytes;
}
