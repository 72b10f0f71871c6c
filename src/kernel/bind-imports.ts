// From the syscall table to the import object of one sandbox: the only place where a host exception could meet a wasm frame.
// A refusal becomes an errno in the convention of the import; anything unexpected ends the guest.
import { errno } from "../abi/errno.ts";
import { GuestRangeFault } from "../abi/guest-memory.ts";
import { tellerOf } from "./attempts.ts";
import { crashOf } from "./foreign/call-guest.ts";
import { GuestStop } from "./guest-stop.ts";
import type { Kernel } from "./kernel.ts";
import { KernelError } from "./kernel-error.ts";
import { type SyscallEntry, syscallTable } from "./syscall-table.ts";

type RawValue = number | bigint | null | undefined;
type RawHandler = (kernel: Kernel, ...values: RawValue[]) => RawValue;

/** Fuel for a call of the kernel, besides what moves bytes: a few microseconds of the guest's own work. */
const unitsPerCall = 200;
/** Asking for fuel itself, and what a guest calls more or less often for reasons that are not its own: what an earlier one left, time. */
const uncharged: ReadonlySet<string> = new Set([
  "_Py_CheckEmscriptenSignals_Helper",
  "emscripten_get_heap_max",
  "emscripten_get_now",
  "emscripten_resize_heap",
  "sandboa_load_rest",
]);

/** One import as the module declares it (WebAssembly.Module.imports, with the signature from its type section when known). */
interface DeclaredImport {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
  readonly signature?: string;
}

/** The module imports something that the kernel does not list: it is refused before it can run. */
export class UnknownImportError extends Error {
  override readonly name = "UnknownImportError";
}

/** Throws UnknownImportError unless every import is a function of the table, with the table's signature where one is given. */
export function checkImports(imports: readonly DeclaredImport[]): void {
  const known = new Map(syscallTable.map((entry) => [`${entry.module}.${entry.name}`, entry]));
  for (const declared of imports) {
    const name = `${declared.module}.${declared.name}`;
    const entry = known.get(name);
    if (entry === undefined || declared.kind !== "function") {
      throw new UnknownImportError(
        `the module imports the ${declared.kind} ${name}, which the syscall table does not list`,
      );
    }
    if (declared.signature !== undefined && declared.signature !== entry.signature) {
      throw new UnknownImportError(
        `the module imports ${name} as ${declared.signature}, the syscall table has ${entry.signature}`,
      );
    }
  }
}

/** Whether that import is one of the table that ends the guest. */
export function isRefused({ module, name }: Pick<DeclaredImport, "module" | "name">): boolean {
  return syscallTable.some(
    (entry) => entry.module === module && entry.name === name && entry.support === "refused",
  );
}

/** The import object for one kernel. */
export function bindImports(kernel: Kernel): WebAssembly.Imports {
  const modules = new Map<string, [string, (...values: RawValue[]) => RawValue][]>();
  for (const entry of syscallTable) {
    const functions = modules.get(entry.module) ?? [];
    functions.push([entry.name, bind(kernel, entry)]);
    modules.set(entry.module, functions);
  }
  return Object.fromEntries(
    [...modules].map(([module, functions]) => [module, Object.fromEntries(functions)]),
  ) as WebAssembly.Imports;
}

function bind(kernel: Kernel, entry: SyscallEntry): (...values: RawValue[]) => RawValue {
  const handler = entry.handler as RawHandler | undefined;
  if (handler === undefined) {
    // With as many parameters as the others: V8 makes one wrapper per signature and number of parameters.
    return (_a, _b, _c, _d, _e, _f, _g) => {
      throw kernel.stopped ?? kernel.stop({ kind: "refused", detail: entry.name });
    };
  }
  const refusal = refusalOf(entry);
  const tell = tellerOf(entry.name);
  const units = uncharged.has(entry.name) ? 0 : unitsPerCall;
  const failed = (error: unknown): RawValue => {
    if (error instanceof KernelError) return refusal(error.errno);
    if (error instanceof GuestRangeFault) return refusal(errno.EFAULT);
    if (error instanceof GuestStop) throw error;
    // Handlers call the guest's allocator, whose data the guest may have ruined, and deep guests leave them little stack.
    const crash = crashOf(error);
    if (crash !== undefined) throw kernel.stop(crash);
    throw kernel.stop({ kind: "fault", detail: `${entry.name}: ${String(error)}` });
  };
  // A guest that has been stopped stays stopped, whatever wasm code runs while the stack unwinds.
  return (a, b, c, d, e, f, g) => {
    if (kernel.stopped) throw kernel.stopped;
    if (units > 0) kernel.charge(units);
    try {
      return handler(kernel, a, b, c, d, e, f, g);
    } catch (error) {
      if (tell === undefined || !(error instanceof KernelError)) return failed(error);
      try {
        tell(kernel, [a, b, c, d, e, f, g], error);
      } catch (second) {
        return failed(second);
      }
      return failed(error);
    }
  };
}

/** How this import reports an errno: WASI functions positive, i64 results as -1, void ones not at all, all others negative. */
function refusalOf(entry: SyscallEntry): (errno: number) => RawValue {
  if (entry.module === "wasi_snapshot_preview1") return (errno) => errno;
  if (entry.signature.endsWith("->i64")) return () => -1n;
  if (entry.signature.endsWith("->i32")) return (errno) => -errno;
  return () => undefined;
}
