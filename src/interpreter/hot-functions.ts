// Functions of pyodide.asm.wasm that common programs run, by their numbers.
import { hotFunctionBits } from "./hot-function-bits.ts";

export function hotFunctions(): ReadonlySet<number> {
  const hot = new Set<number>();
  const bytes = Uint8Array.from(atob(hotFunctionBits), (character) => character.charCodeAt(0));
  bytes.forEach((byte, at) => {
    for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) hot.add(at * 8 + bit);
  });
  return hot;
}
