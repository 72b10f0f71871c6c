// One instance of the module with the kernel behind its imports: the whole of what can run guest code.
import { type Cards, GuestMemory } from "../abi/guest-memory.ts";
import { ImageError } from "../errors/image-error.ts";
import { bindImports } from "../kernel/bind-imports.ts";
import type { GuestMachine } from "../kernel/guest-machine.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { PythonExports } from "./exports.ts";
import { memoryImport } from "./wasm/import-memory.ts";
import { cardsExport, cardTable } from "./wasm/marking/card-table.ts";
import { fuelExport } from "./wasm/metering/fuel-export.ts";
import { paceExport } from "./wasm/metering/pacing.ts";
import { loadImport, restExports } from "./wasm/splitting/split-module.ts";

/** PyBytesObject.ob_sval, in a build of 32 bits (Include/cpython/bytesobject.h). */
const bytesContentOffset = 16;

/** The rest of a split module. Throws where it cannot be had. */
export type ReadRest = () => WebAssembly.Module;

export class Machine implements GuestMachine {
  readonly python: PythonExports;
  readonly guest: GuestMemory;
  /** The mutable globals that the rewriter made reachable: with memory and table they are all of the machine's state. */
  readonly hidden: readonly WebAssembly.Global<"i32">[];
  /** Of a metered module: units that the guest may use before it asks the host. See wasm/metering/metering.ts. */
  readonly fuel: WebAssembly.Global<"i32"> | undefined;
  /** Of a plain module: looks for signals before it asks the host. See wasm/metering/pacing.ts. */
  readonly pace: WebAssembly.Global<"i32"> | undefined;
  /** Of a module that notes which pages it writes, see wasm/marking/card-table.ts: where in the memory of a pristine machine. */
  readonly cards: Cards | undefined;
  readonly pristineTableLength: number;
  readonly #exports: Readonly<Record<string, unknown>>;
  readonly #registers: ReadonlySet<unknown>;
  readonly #imports: WebAssembly.Imports;
  readonly #readRest: ReadRest | undefined;

  /** `memory`: of the size of the snapshot that will be restored; of no use to a module that makes its own. Throws ImageError if the module is made for another size. */
  constructor(
    module: WebAssembly.Module,
    kernel: Kernel,
    hiddenGlobals: readonly string[],
    memory?: WebAssembly.Memory,
    readRest?: ReadRest,
  ) {
    this.#readRest = readRest;
    const pristineBytes = memory?.buffer.byteLength;
    const imports = bindImports(kernel);
    this.#imports = imports;
    const { module: room, name } = memoryImport;
    const instance = new WebAssembly.Instance(module, {
      ...imports,
      [room]: { ...imports[room], [name]: memory as WebAssembly.Memory },
    });
    this.python = instance.exports as unknown as PythonExports;
    this.#exports = instance.exports;
    this.hidden = hiddenGlobals.map((name) => instance.exports[name] as WebAssembly.Global<"i32">);
    this.fuel = instance.exports[fuelExport] as WebAssembly.Global<"i32"> | undefined;
    this.pace = instance.exports[paceExport] as WebAssembly.Global<"i32"> | undefined;
    const cards = instance.exports[cardsExport] as WebAssembly.Global<"i32"> | undefined;
    this.cards = cards && demandTable(cards.value, pristineBytes);
    this.#registers = new Set<unknown>([
      this.python.__stack_pointer,
      this.fuel,
      this.pace,
      cards,
      instance.exports[restExports.isLoaded],
      ...this.hidden,
    ]);
    this.guest = new GuestMemory(this.memory as { readonly buffer: ArrayBuffer }, this.cards);
    this.pristineTableLength = this.table.length;
    kernel.attach(this);
  }

  loadRest(): void {
    const isLoaded = this.#exports[restExports.isLoaded] as WebAssembly.Global<"i32"> | undefined;
    if (isLoaded === undefined || this.#readRest === undefined) throw new Error("the module has no rest");
    if (isLoaded.value !== 0) return;
    // All but functions, of which imports of the kernel's may have the names.
    const things = Object.entries(this.#exports).filter(([, thing]) => typeof thing !== "function");
    const { module: room } = loadImport;
    const rest = this.#readRest();
    (this.#exports[restExports.open] as () => void)();
    new WebAssembly.Instance(rest, {
      ...this.#imports,
      [room]: {
        ...this.#imports[room],
        ...(Object.fromEntries(things) as WebAssembly.ModuleImports),
        memory: this.memory,
      },
    });
    isLoaded.value = 1;
  }

  receiveSignal(signal: number): void {
    this.python.PyErr_SetInterruptEx(signal);
  }
  get memory(): WebAssembly.Memory {
    return this.python.memory;
  }
  get table(): WebAssembly.Table {
    return this.python.__indirect_function_table;
  }
  alignedAllocate(alignment: number, bytes: number): number {
    return this.python.emscripten_builtin_memalign(alignment, bytes);
  }
  setDlError(text: number): void {
    this.python.__dl_seterr(text, 0);
  }
  makeBytes(content: Uint8Array): number {
    const object = this.python.PyBytes_FromStringAndSize(0, content.length) >>> 0;
    if (object === 0) return 0;
    const start = this.guest.check(object + bytesContentOffset, content.length);
    this.guest.bytes.set(content, start);
    return object;
  }
  get stackPointer(): WebAssembly.Global<"i32"> {
    return this.python.__stack_pointer;
  }
  symbol(name: string): CallableFunction | number | undefined {
    const found = this.#exports[name];
    if (typeof found === "function" && name !== restExports.open) return found as CallableFunction;
    if (!(found instanceof WebAssembly.Global) || this.#registers.has(found)) return undefined;
    return typeof found.value === "number" ? found.value : undefined;
  }
  allocate(bytes: number): number {
    return this.python.malloc(bytes);
  }
  free(address: number): void {
    this.python.free(address);
  }
}

function demandTable(start: number, pristineBytes = 0): Cards {
  const table = cardTable(pristineBytes);
  if (table.start === start) return table;
  throw new ImageError(
    "IMAGE_BUILD_FAILED",
    "the module notes what it writes in the memory of another snapshot",
  );
}
