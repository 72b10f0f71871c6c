// The rest of a split module (interpreter/wasm/splitting/split-module.ts): a file of the cache beside the first part, which is read when a guest
// first calls something in it.
import { ImageError } from "../../errors/image-error.ts";
import type { ImageStore } from "../../platform/node/cache/image-store.ts";
import type { Stored } from "../../platform/node/cache/stored-file.ts";
import { compileInterpreter } from "../../platform/node/engine/engine-flags.ts";
import { SharedBytes } from "./shared-bytes.ts";

/**
 * Undefined when it is not in the cache. The file stays open until it is read: that of another version may stand there by then. Where it
 * turns out to be damaged, whoever asks gets an ImageError, `forget` is called, and it is made anew for the next one.
 */
export function openRest(
  store: ImageStore,
  name: string,
  first: Stored,
  forget: () => void,
): SharedBytes | undefined {
  let file = store.open(name);
  if (file === undefined || file.contentBytes <= 0) {
    file?.close();
    return undefined;
  }
  return SharedBytes.ofSize(file.contentBytes, (content) => {
    const isWhole = file?.fill(content, first.checksum) ?? false;
    file?.close();
    file = undefined;
    if (isWhole) return;
    store.remove(name);
    forget();
    throw new ImageError("IMAGE_BUILD_FAILED", "a part of the cached interpreter is damaged");
  });
}

/** Compiles it when it is first asked for, once in a thread. */
export function compileRest(bytes: () => Uint8Array): () => WebAssembly.Module {
  let module: WebAssembly.Module | undefined;
  return () => {
    module ??= compileInterpreter(bytes());
    return module;
  };
}
