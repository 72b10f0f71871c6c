// The engine's code of a module, kept in the cache beside it.
import {
  compileInterpreter,
  keepableCode,
  keepableCodeTag,
  moduleWithCode,
} from "../platform/node/engine-flags.ts";
import type { ImageStore } from "../platform/node/image-store.ts";
import { checksum } from "../platform/node/powers.ts";

const checksumBytes = 4;

/** Whoever has it is the only one to make the module's code hot and keep it. */
export interface CodeKeeper {
  /** Bytes of the code that would be kept now. */
  readonly codeBytes: number;
  /** Keeps it. False when there is none. */
  keep(): boolean;
}

export interface CompiledImage {
  readonly module: WebAssembly.Module;
  /** Whether it starts with optimised code. */
  readonly hasCode: boolean;
  /** Where the code that the engine makes of the module can be kept, and is not yet. */
  readonly codeKeeper: CodeKeeper | undefined;
}

export class CodeFile {
  readonly #store: ImageStore;
  /** Undefined where the engine's code cannot be had, or could be anybody's. */
  readonly #name: string | undefined;
  readonly #tag: string | undefined;

  constructor(store: ImageStore, moduleName: string) {
    this.#store = store;
    this.#tag = store.isPrivate ? keepableCodeTag() : undefined;
    this.#name = this.#tag && `${moduleName}.${this.#tag}.code`;
  }

  get isPossible(): boolean {
    return this.#name !== undefined;
  }

  async read(): Promise<Uint8Array | undefined> {
    return this.#name === undefined ? undefined : this.#store.read(this.#name, false);
  }

  /** With the code that was read, where it is of these bytes and the engine takes it. */
  compile(wasm: Uint8Array, read: Uint8Array | undefined, keeps: boolean): CompiledImage {
    const code = codeOf(wasm, read);
    const withCode = code && moduleWithCode(wasm, code);
    if (withCode) return { module: withCode, hasCode: true, codeKeeper: undefined };
    const isFirst = keeps && this.#name !== undefined && this.#store.claim(this.#name);
    const module = compileInterpreter(wasm, isFirst);
    return { module, hasCode: false, codeKeeper: isFirst ? this.#keeper(module, checksum(wasm)) : undefined };
  }

  #keeper(module: WebAssembly.Module, wasmChecksum: number): CodeKeeper {
    const [store, name = "", tag] = [this.#store, this.#name, this.#tag];
    return {
      get codeBytes() {
        return keepableCode(module)?.length ?? 0;
      },
      keep() {
        // Whoever changes flags meanwhile makes it code of another process.
        const code = keepableCodeTag() === tag ? keepableCode(module) : undefined;
        const head = new Uint8Array(checksumBytes);
        new DataView(head.buffer).setUint32(0, wasmChecksum);
        const isKept = code !== undefined && store.write(name, [head, code]);
        store.release(name);
        return isKept;
      },
    };
  }
}

/** What was read, where it is of these bytes. */
export function codeOf(wasm: Uint8Array, read: Uint8Array | undefined): Uint8Array | undefined {
  return read && checksumOf(read) === checksum(wasm) ? read.subarray(checksumBytes) : undefined;
}

function checksumOf(file: Uint8Array): number | undefined {
  return file.length < checksumBytes ? undefined : new DataView(file.buffer, file.byteOffset).getUint32(0);
}
