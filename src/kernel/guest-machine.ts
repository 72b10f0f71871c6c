// The guest's machine as the kernel sees it: a wasm instance, made by the interpreter room.
import type { GuestMemory } from "../abi/guest-memory.ts";
import type { FuelCell } from "./fuel-gauge.ts";

/** What the kernel needs of the wasm instance. Every number that comes back from it is as hostile as the guest. */
export interface GuestMachine {
  readonly memory: WebAssembly.Memory;
  /** The only way to that memory: it may note which pages are reached. */
  readonly guest: GuestMemory;
  readonly table: WebAssembly.Table;
  /** emscripten_builtin_memalign: 0 when there is no memory. */
  alignedAllocate(alignment: number, bytes: number): number;
  /** __dl_seterr(format*, 0): the text that dlerror(3) returns. */
  setDlError(text: number): void;
  /** A new bytes object of Python's; 0 when there is no memory, and MemoryError is set. */
  makeBytes(content: Uint8Array): number;
  /** __stack_pointer of C. */
  readonly stackPointer: WebAssembly.Global<"i32">;
  /** What the image exports under that name: a function, or the address of a data symbol. */
  symbol(name: string): CallableFunction | number | undefined;
  allocate(bytes: number): number;
  free(address: number): void;
  /** Makes what a split module lacks; throws where that cannot be had. */
  loadRest(): void;
  /** Of a metered module: the global in which the guest counts down. */
  readonly fuel: FuelCell | undefined;
  /** Of a plain module: the same for its looks for signals. */
  readonly pace: FuelCell | undefined;
  /** Python handles the signal at its next step; safe within any call (CPython, PyErr_SetInterruptEx). */
  receiveSignal(signal: number): void;
}
