// The engine's code of a module, kept in the cache beside it.

import type { ImageStore } from "../../platform/node/cache/image-store.ts";
import type { Stored } from "../../platform/node/cache/stored-file.ts";
import {
  compileInterpreter,
  keepableCode,
  keepableCodeTag,
  moduleWithCode,
} from "../../platform/node/engine/engine-flags.ts";
import { checksum } from "../../platform/node/powers.ts";

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
  readonly #name: string | undefined;
  readonly #tag: string | undefined;

  constructor(store: ImageStore, moduleName: string) {
    this.#store = store;
    this.#tag = store.isPrivate ? keepableCodeTag() : undefined;
    this.#name = this.#tag && `${moduleName}.${this.#tag}.code`;
  }

  /** Its key in the store; undefined where the engine's code cannot be had. */
  get name(): string | undefined {
    return this.#name;
  }

  /** The code of that module, when there is such. Read at once, while the module is read by another thread. */
  async read(wasm: Promise<Stored | undefined>): Promise<Uint8Array | undefined> {
    return this.#name === undefined ? undefined : (await this.#store.readNow(this.#name, wasm))?.content;
  }

  /** With the code that was read for these bytes, where the engine takes it. */
  compile(wasm: Uint8Array, code: Uint8Array | undefined, keeps: boolean): CompiledImage {
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
        const isKept = code !== undefined && store.write(name, [code], wasmChecksum);
        store.release(name);
        return isKept;
      },
    };
  }
}
