// The kernel of one sandbox: the guest machine below, the process above, and whether it has been stopped.
import { GuestMemory } from "../abi/guest-memory.ts";
import { ForeignFunctions } from "./foreign/foreign-functions.ts";
import { GuestStop, type StopReason } from "./guest-stop.ts";
import { fail } from "./kernel-error.ts";
import type { Process } from "./process.ts";

/** What the kernel needs of the wasm instance. Every number that comes back from it is as hostile as the guest. */
export interface GuestMachine {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  /** emscripten_builtin_memalign: 0 when there is no memory. */
  alignedAllocate(alignment: number, bytes: number): number;
  /** __dl_seterr(format*, 0): the text that dlerror(3) returns. */
  setDlError(text: number): void;
  /** __stack_pointer of C. */
  readonly stackPointer: WebAssembly.Global<"i32">;
  /** What the image exports under that name: a function, or the address of a data symbol. */
  symbol(name: string): CallableFunction | number | undefined;
  allocate(bytes: number): number;
  free(address: number): void;
}

export class Kernel {
  process: Process;
  #machine: GuestMachine | undefined;
  #memory: GuestMemory | undefined;
  #foreign: ForeignFunctions | undefined;
  #stop: GuestStop | undefined;

  readonly #interrupt: () => number;

  /** `interrupt` is asked by the guest's evaluation loop, very often: a signal number, or 0. It may throw what stop() returns. */
  constructor(process: Process, interrupt: () => number = () => 0) {
    this.process = process;
    this.#interrupt = interrupt;
  }

  pollInterrupt(): number {
    return this.#interrupt();
  }

  attach(machine: GuestMachine): void {
    this.#machine = machine;
    this.#memory = new GuestMemory(machine.memory);
    this.#foreign = new ForeignFunctions(machine);
  }

  get machine(): GuestMachine {
    return this.#machine ?? fail("ENOSYS");
  }

  get memory(): GuestMemory {
    return this.#memory ?? fail("EFAULT");
  }

  /** Callbacks and symbols in the function table. */
  get foreign(): ForeignFunctions {
    return this.#foreign ?? fail("ENOSYS");
  }

  /** Set once the guest is over; every import rethrows it. */
  get stopped(): GuestStop | undefined {
    return this.#stop;
  }

  /** Ends the guest: the caller throws what this returns. The first reason stands. */
  stop(reason: StopReason): GuestStop {
    this.#stop ??= new GuestStop(reason);
    return this.#stop;
  }

  /** A new process for the next pristine lifetime; the old one's files are closed. */
  restart(process: Process): void {
    this.process.end();
    this.process = process;
    this.#foreign?.clear();
    this.#stop = undefined;
  }
}
