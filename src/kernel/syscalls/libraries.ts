// dlopen(3) and dlsym(3): no native modules, but the interpreter's own symbols, as far as its image exports them.
import { fromLatin1 } from "../../abi/guest-memory.ts";
import { maxPathBytes } from "../../abi/limits.ts";
import type { Kernel } from "../kernel.ts";
import { tell } from "../refusals.ts";

const maxSymbolBytes = 255;

/** Where Emscripten's struct dso (dynlink.c) has its name. */
const nameOffset = 36;

/** (dso*) -> 0, always with a text for dlerror(3). The program itself, dlopen(NULL), never comes here. */
export function refuseLibrary(kernel: Kernel, library: number): number {
  tell(kernel, (memory) => {
    const path = memory.readByteString((library >>> 0) + nameOffset, maxPathBytes);
    return path === undefined ? undefined : { kind: "library", path };
  });
  return refuse(kernel, "this sandbox does not load native modules");
}

/** (dso*, name*, index*) -> table index of a function, address of anything else, or 0 with a text for dlerror(3). */
export function findSymbol(kernel: Kernel, _library: number, nameAddress: number): number {
  const name = kernel.memory.readByteString(nameAddress, maxSymbolBytes);
  if (name === undefined) return refuse(kernel, "undefined symbol: the name is too long");
  const found = kernel.foreign.symbol(name);
  if (found !== 0) return found;
  // The text becomes a format, perhaps more than once.
  const shown = name.replaceAll(/[^\w.$-]/g, "?");
  return refuse(
    kernel,
    `undefined symbol: ${shown} (a sandbox exports all that the interpreter has when _ctypes is granted, else next to nothing)`,
  );
}

function refuse(kernel: Kernel, reason: string): 0 {
  const { machine, memory } = kernel;
  const text = fromLatin1(`${reason}\0`);
  const address = machine.allocate(text.length) >>> 0;
  if (address === 0) return 0;
  memory.slice(address, text.length).set(text);
  machine.setDlError(address);
  machine.free(address);
  return 0;
}
