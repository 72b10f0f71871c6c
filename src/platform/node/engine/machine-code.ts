// The code that V8 has made of a module, as bytes that a later process starts with instead of compiling anew: what it has once found
// hot is optimised from the first call on. V8 offers that to browsers only; on Node it is reached through two functions that V8 has for
// its own tests (src/runtime/runtime-test-wasm.cc), which exist on Node 20, 22 and 24. Without them everything is compiled as ever.
// V8 refuses, without harm, what another version of it, other flags or another processor made. Damage it does not notice, nor
// code of another module: whoever keeps the bytes must.
import { cachedDataVersionTag, setFlagsFromString } from "node:v8";

interface MachineCode {
  /** Of a module's functions that are optimised by now, of which one that is exported will be; undefined without such. */
  take(module: WebAssembly.Module): Uint8Array | undefined;
  /** The module of these bytes with that code; undefined when V8 does not take it. */
  give(code: Uint8Array, wasm: Uint8Array): WebAssembly.Module | undefined;
  /** Names the version, flags and processor of what `take` gives at this moment. */
  tag(): string;
}

export const machineCode: MachineCode | undefined = reach();

function reach(): MachineCode | undefined {
  if (process.env.SANDBOA_ENGINE_FLAGS === "none" || !["11", "12", "13"].includes(major())) return undefined;
  try {
    prepared("WasmTierUpFunction", 1);
    prepared("SerializeWasmModule", 1);
    prepared("DeserializeWasmModule", 2);
  } catch {
    return undefined;
  }
  return {
    take: (module) => {
      if (!hasOptimised.has(module) && !optimiseOne(module)) return undefined;
      hasOptimised.add(module);
      const code = native("SerializeWasmModule", module);
      return code instanceof ArrayBuffer ? new Uint8Array(code) : undefined;
    },
    // V8 ends the process when these are not an ArrayBuffer and a view.
    give: (code, wasm) => {
      const view = new Uint8Array(wasm.buffer, wasm.byteOffset, wasm.length);
      const whole = code.byteLength === code.buffer.byteLength ? code : code.slice();
      const module = native("DeserializeWasmModule", whole.buffer, view);
      return module instanceof WebAssembly.Module ? module : undefined;
    },
    tag: () => `${process.versions.v8}-${process.arch}-${cachedDataVersionTag().toString(16)}`,
  };
}

/** V8 ends the process when it shall give code and has none. */
const hasOptimised = new WeakSet<WebAssembly.Module>();

/** False when no function is exported. */
function optimiseOne(module: WebAssembly.Module): boolean {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    // Nothing is ever called through this instance.
    imports[from][name] =
      kind === "memory" ? new WebAssembly.Memory({ initial: 1, maximum: 65_536 }) : () => 0;
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  const one = Object.values(exports).find((each) => typeof each === "function");
  if (one === undefined) return false;
  native("WasmTierUpFunction", one);
  return true;
}

/** Calls a function of V8's own. */
function native(name: string, ...values: readonly unknown[]): unknown {
  return prepared(name, values.length, (call) => call(...values));
}

type Native = (...values: readonly unknown[]) => unknown;

/** Throws SyntaxError where there is none of that name. The flag is for the parser, and none but our own source is parsed meanwhile. */
function prepared<T>(name: string, parameters: number, use?: (call: Native) => T): T | undefined {
  const names = ["a", "b"].slice(0, parameters);
  setFlagsFromString("--allow-natives-syntax");
  try {
    const call = new Function(...names, `return %${name}(${names.join()})`) as Native;
    return use?.(call);
  } finally {
    setFlagsFromString("--no-allow-natives-syntax");
  }
}

function major(): string {
  return process.versions.v8.split(".", 1)[0] ?? "";
}
