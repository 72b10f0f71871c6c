// Callbacks and looked-up symbols of one guest: what stands in the places that the kernel added to the function table.
import type { GuestMachine } from "../guest-machine.ts";
import type { HostMemory } from "../host-memory.ts";
import { adapterKey, adapterModule, dispatchModule } from "./adapter-module.ts";
import type { ForeignSignature } from "./signature.ts";
import { TableSlots } from "./table-slots.ts";

/** Modules compiled for one lifetime of a guest. Programs need a handful; a loop over invented signatures must not fill the host. */
export const maxAdapterModules = 256;

/** What the host holds for a place: a small instance and its function; measured, 1.8 KiB. */
const slotBytes = 2048;
/** For a compiled module of a few hundred bytes. */
const moduleBytes = 16_384;

interface Closure {
  /** Address of libffi's closure. */
  readonly address: number;
  adapter?: { readonly key: string; readonly exports: AdapterExports };
}

interface AdapterExports {
  readonly f: CallableFunction;
  readonly c: WebAssembly.Global<"i32">;
}

export class ForeignFunctions {
  readonly #machine: GuestMachine;
  readonly #slots: TableSlots;
  readonly #closures = new Map<number, Closure>();
  readonly #symbols = new Map<string, number>();
  readonly #modules = new Map<string, WebAssembly.Module>();
  readonly #account: () => HostMemory;
  #chargedBytes = 0;
  #dispatch: WebAssembly.ExportValue | undefined;

  /** `account` is the present process's: what is charged to it is given back before it ends. */
  constructor(machine: GuestMachine, account: () => HostMemory) {
    this.#machine = machine;
    this.#account = account;
    this.#slots = new TableSlots(machine.table);
  }

  /** A place for a callback; undefined when there are no more. */
  takeSlot(): number | undefined {
    if (this.#account().freeBytes < slotBytes) return undefined;
    const slot = this.#slots.take();
    if (slot !== undefined) this.#charge(slotBytes);
    return slot;
  }

  giveBackSlot(slot: number): void {
    this.#slots.giveBack(slot);
    this.#charge(-slotBytes);
  }

  /** The place now belongs to the closure at that address. */
  openClosure(slot: number, address: number): void {
    this.#closures.set(slot, { address });
  }

  /** Whether there was such a closure: a guest may say anything. */
  closeClosure(slot: number, address: number): boolean {
    if (this.#closures.get(slot)?.address !== address) return false;
    this.#closures.delete(slot);
    this.giveBackSlot(slot);
    return true;
  }

  /** Makes the closure callable; false when it is none, or when there are too many different signatures. */
  bindClosure(slot: number, address: number, signature: ForeignSignature): boolean {
    const closure = this.#closures.get(slot);
    if (closure?.address !== address) return false;
    const key = adapterKey(signature);
    if (closure.adapter?.key !== key) {
      const module = this.#module(key, signature);
      if (module === undefined) return false;
      const { memory, guest, stackPointer } = this.#machine;
      // The adapter writes parameters into the memory by itself.
      guest.doubtNotes();
      const imports = { a: { memory, stack: stackPointer, call: this.#dispatcher() } };
      const { exports } = new WebAssembly.Instance(module, imports);
      closure.adapter = { key, exports: exports as unknown as AdapterExports };
    }
    closure.adapter.exports.c.value = address;
    this.#slots.fill(slot, closure.adapter.exports.f);
    return true;
  }

  /** The address of a data symbol or the table index of a function; 0 when the image has no such name, or no place is left. */
  symbol(name: string): number {
    const known = this.#symbols.get(name);
    if (known !== undefined) return known;
    const symbol = this.#machine.symbol(name);
    if (typeof symbol !== "function") return symbol ?? 0;
    const slot = this.takeSlot();
    if (slot === undefined) return 0;
    this.#slots.fill(slot, symbol);
    this.#symbols.set(name, slot);
    return slot;
  }

  /** Back to pristine: nothing that a guest made or asked for is left. */
  clear(): void {
    this.#closures.clear();
    this.#symbols.clear();
    this.#modules.clear();
    this.#slots.clear();
    if (this.#chargedBytes > 0) this.#charge(-this.#chargedBytes);
  }

  #charge(bytes: number): void {
    const account = this.#account();
    if (bytes > 0) account.take(bytes);
    else account.give(-bytes);
    this.#chargedBytes += bytes;
  }

  #module(key: string, signature: ForeignSignature): WebAssembly.Module | undefined {
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    if (this.#modules.size === maxAdapterModules || this.#account().freeBytes < moduleBytes) return undefined;
    this.#charge(moduleBytes);
    const module = new WebAssembly.Module(adapterModule(signature));
    this.#modules.set(key, module);
    return module;
  }

  #dispatcher(): WebAssembly.ImportValue {
    if (this.#dispatch === undefined) {
      const module = new WebAssembly.Module(dispatchModule());
      const instance = new WebAssembly.Instance(module, { a: { table: this.#machine.table } });
      this.#dispatch = instance.exports.f as WebAssembly.ExportValue;
    }
    return this.#dispatch as WebAssembly.ImportValue;
  }
}
