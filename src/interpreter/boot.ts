// The long way to a running interpreter, taken once per image: constructors, PyInitConfig (PEP 741), stack protection.
// Runs before any guest code exists, so the memory that it reads and writes is still trustworthy.
import { byteString, fromLatin1, latin1 } from "../abi/guest-memory.ts";
import { ImageError } from "../errors/image-error.ts";
import type { Machine } from "./machine.ts";

export const libraryDirectory = "/lib/python3.14";

/**
 * Bytes of the C stack that CPython may use before it raises RecursionError. The stack in linear memory is larger; the
 * engine's own stack is not, and overflowing that one loses the sandbox.
 */
const stackWindowBytes = 2 << 20;

const integers: readonly [string, bigint][] = [
  ["isolated", 0n],
  ["site_import", 1n],
  ["use_environment", 0n],
  ["install_signal_handlers", 1n],
  ["parse_argv", 0n],
  ["user_site_directory", 0n],
  ["write_bytecode", 1n],
  ["utf8_mode", 1n],
  ["safe_path", 1n],
];

const strings: readonly [string, string][] = [
  ["home", "/"],
  ["prefix", "/"],
  ["exec_prefix", "/"],
  ["base_prefix", "/"],
  ["base_exec_prefix", "/"],
  ["executable", "/bin/python3"],
  ["base_executable", "/bin/python3"],
  ["stdlib_dir", libraryDirectory],
  ["pycache_prefix", "/pycache"],
];

/** Leaves a machine whose Python is initialised and whose built-in modules are exactly `modules`, where the build has them. */
export function boot(
  machine: Machine,
  symbols: ReadonlyMap<string, number>,
  modules: (name: string) => boolean,
): void {
  const { python } = machine;
  python.__wasm_call_ctors();
  restrictBuiltinModules(machine, symbolOf(symbols, "PyImport_Inittab"), modules);
  initialize(machine);
  const base = python.emscripten_stack_get_base() >>> 0;
  const state = python.PyThreadState_Get();
  if (
    python.PyUnstable_ThreadState_SetStackProtection(state, base - stackWindowBytes, stackWindowBytes) !== 0
  ) {
    throw new ImageError("IMAGE_BUILD_FAILED", "CPython refused the stack protection");
  }
  // CPython asks the kernel for a pending interrupt only once this is set (Python/emscripten_signal.c).
  machine.guest.setU32(symbolOf(symbols, "Py_EMSCRIPTEN_SIGNAL_HANDLING"), 1);
}

/** What calls have left behind on the C stack is no state of the interpreter. */
export function clearDeadStack(machine: Machine): void {
  const top = machine.python.__stack_pointer.value >>> 0;
  machine.guest.bytes.fill(0, top - stackWindowBytes, top);
}

export function symbolOf(symbols: ReadonlyMap<string, number>, name: string): number {
  const address = symbols.get(name);
  if (address === undefined)
    throw new ImageError("IMAGE_BUILD_FAILED", `the module has no data symbol ${name}`);
  return address;
}

/** Names of the built-in extension modules in the table {char* name, PyObject* (*initfunc)(void)}, ended by a NULL name. */
function restrictBuiltinModules(machine: Machine, pointer: number, keep: (name: string) => boolean): void {
  const { guest } = machine;
  const table = guest.getU32(pointer);
  let kept = table;
  for (let entry = table; ; entry += 8) {
    const name = guest.getU32(entry);
    const text = name === 0 ? undefined : guest.readByteString(name, 256);
    if (text !== undefined && !keep(text)) continue;
    guest.setU32(kept, name);
    guest.setU32(kept + 4, text === undefined ? 0 : guest.getU32(entry + 4));
    kept += 8;
    if (text === undefined) return;
  }
}

function initialize(machine: Machine): void {
  const { python, guest } = machine;
  const held: number[] = [];
  const text = (value: string): number => {
    const address = allocateText(machine, value);
    held.push(address);
    return address;
  };
  const config = python.PyInitConfig_Create();
  const demand = (result: number, step: string): void => {
    if (result === 0) return;
    const message = text("    ");
    python.PyInitConfig_GetError(config, message);
    const reason = guest.readByteString(guest.getU32(message), 1000) ?? "";
    throw new ImageError("IMAGE_BUILD_FAILED", `Python could not be initialised (${step}): ${reason}`);
  };
  for (const [name, value] of integers) demand(python.PyInitConfig_SetInt(config, text(name), value), name);
  for (const [name, value] of strings)
    demand(python.PyInitConfig_SetStr(config, text(name), text(value)), name);
  const list = (name: string, items: readonly string[]): void => {
    const pointers = python.malloc(Math.max(4, items.length * 4));
    held.push(pointers);
    items.forEach((item, index) => {
      guest.setU32(pointers + index * 4, text(item));
    });
    demand(python.PyInitConfig_SetStrList(config, text(name), items.length, pointers), name);
  };
  list("module_search_paths", [libraryDirectory]);
  list("argv", [""]);
  demand(python.Py_InitializeFromInitConfig(config), "initialise");
  python.PyInitConfig_Free(config);
  for (const address of held) python.free(address);
}

/** A NUL-terminated UTF-8 copy of `text` in guest memory; the caller frees it. */
export function allocateText(machine: Machine, text: string): number {
  const bytes = fromLatin1(`${byteString(text)}\0`);
  const address = machine.allocate(bytes.length) >>> 0;
  machine.guest.slice(address, bytes.length).set(bytes);
  return address;
}

/** The names that the build offers as built-in extension modules, before any restriction. */
export function builtinModules(machine: Machine, symbols: ReadonlyMap<string, number>): readonly string[] {
  const { guest } = machine;
  const names: string[] = [];
  for (let entry = guest.getU32(symbolOf(symbols, "PyImport_Inittab")); ; entry += 8) {
    const name = guest.getU32(entry);
    if (name === 0) return names;
    names.push(guest.readByteString(name, 256) ?? latin1(guest.slice(name, 256)));
  }
}
