// The image for a set of built-in modules: from memory, from the cache on disk, or built. Files in the cache are keyed by
// everything that went into them, so a change of version, format, guest code or hash simply misses.

import { byteString } from "../abi/guest-memory.ts";
import { ArchiveFileSystem } from "../filesystems/archive-filesystem.ts";
import { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { libraryDirectory } from "../interpreter/boot.ts";
import { distribution, verifyDistributionFile } from "../interpreter/distribution.ts";
import { buildSnapshot, type ImageRecipe, type ModuleForm, prepareModule } from "../interpreter/image.ts";
import { encodeImage } from "../interpreter/image-file.ts";
import { checkImports } from "../kernel/bind-imports.ts";
import { Clocks } from "../kernel/clocks.ts";
import type { DirectoryNode } from "../kernel/filesystem.ts";
import { Kernel } from "../kernel/kernel.ts";
import { guestOwner } from "../kernel/permissions.ts";
import type { ClockPower, EntropyPower } from "../kernel/powers.ts";
import { compileInterpreter } from "../platform/node/engine-flags.ts";
import { ImageStore } from "../platform/node/image-store.ts";
import { readDistributionFile, readGuestFiles } from "../platform/node/package-files.ts";
import { inflateRaw, sha256 } from "../platform/node/powers.ts";
import { makeBareProcess } from "./bare-process.ts";
import { bytecodeModules, preloadedModules } from "./library-choice.ts";

/** Raised when the layout of a cached file or the way an image is made changes. */
const imageFormat = 10;

/**
 * An image is the same wherever it is built, so that what was tested is what runs. Nothing of these two powers is left in a
 * sandbox: each restore draws a new hash secret and seeds everything anew (interpreter/rehash, guest/sandboa/_runner.py).
 */
const fixedEntropy: EntropyPower = {
  fill: (target) => {
    for (let i = 0; i < target.length; i++) target[i] = (i * 0x9d + 0x3b) & 0xff;
  },
};
/** 2026-01-01T00:00Z. */
const buildTimeNs = 1_767_225_600_000_000_000n;
const stillClock: ClockPower = { wallNs: () => buildTimeNs, monotonicNs: () => 0n, sleepMs: () => undefined };

/** What a worker needs to run an interpreter: everything is shared between threads, nothing is copied. */
export interface LoadedImage {
  /** Names the files of this image in the cache. */
  readonly key: string;
  readonly module: WebAssembly.Module;
  /** The encoded image, in shared memory. */
  readonly image: Uint8Array;
  /** python_stdlib.zip, in shared memory. */
  readonly library: Uint8Array;
  readonly guestFiles: ReadonlyMap<string, Uint8Array>;
}

export type Progress = (step: string) => void;

export interface ImageChoice {
  /** Built-in extension modules that the interpreter lacks: sorted, unique. */
  readonly refusedModules: readonly string[];
  /** Both forms of a module share one snapshot. */
  readonly metered: boolean;
}

const loaded = new Map<string, Promise<LoadedImage>>();
/** Encoded images by key, in shared memory. */
const images = new Map<string, Uint8Array>();

export function loadImage(choice: ImageChoice, progress?: Progress): Promise<LoadedImage> {
  const name = `${choice.metered}:${choice.refusedModules.join(",")}`;
  let image = loaded.get(name);
  if (image === undefined) {
    image = load(choice, progress);
    loaded.set(name, image);
    image.catch(() => loaded.delete(name));
  }
  return image;
}

async function load(choice: ImageChoice, progress: Progress | undefined): Promise<LoadedImage> {
  const store = new ImageStore();
  const guestFiles = readGuestFiles();
  const library = shared(readDistributionFile("library"));
  verifyDistributionFile("library", library, sha256);
  const recipe = {
    format: imageFormat,
    wasm: distribution.wasm.sha256,
    library: distribution.library.sha256,
    refused: choice.refusedModules,
    preload: preloadedModules,
    compile: bytecodeModules,
  };
  const key = sha256(new TextEncoder().encode(JSON.stringify(recipe)), ...guestFiles.values()).slice(0, 40);
  const cachedModule = store.read(moduleFile(key, choice), false);
  const compiled = cachedModule && compileInterpreter(cachedModule);
  let image = images.get(key) ?? store.read(`${key}.image`, true);
  if (!(compiled && image)) progress?.("preparing the interpreter (once per version)");
  if (image === undefined) {
    const built = build(library, guestFiles, { ...choice, progress });
    store.write(`${key}.image`, [built]);
    image = shared(built);
  }
  images.set(key, image);
  const module = compiled ?? compileInterpreter(makeModule(store, key, choice));
  checkImports(WebAssembly.Module.imports(module));
  return { key, module, image, library, guestFiles };
}

/** The image's module as bytes, for a process that compiles it itself. */
export function readLeanModule(image: LoadedImage, choice: ImageChoice): Uint8Array {
  const store = new ImageStore();
  return store.read(moduleFile(image.key, choice), false) ?? makeModule(store, image.key, choice);
}

function moduleFile(key: string, choice: ImageChoice): string {
  return `${key}.${choice.metered ? "metered" : "plain"}.wasm`;
}

/** In half a second. */
function makeModule(store: ImageStore, key: string, choice: ImageChoice): Uint8Array<ArrayBuffer> {
  const { lean } = prepareModule(readWasm(), formOf(choice));
  store.write(moduleFile(key, choice), [lean]);
  return lean as Uint8Array<ArrayBuffer>;
}

function formOf(choice: ImageChoice): ModuleForm {
  // Foreign calls look symbols up by name.
  return { metered: choice.metered, allSymbols: !choice.refusedModules.includes("_ctypes") };
}

function readWasm(): Uint8Array {
  const wasm = readDistributionFile("wasm");
  verifyDistributionFile("wasm", wasm, sha256);
  return wasm;
}

function build(
  library: Uint8Array,
  guestFiles: ReadonlyMap<string, Uint8Array>,
  choice: ImageChoice & { readonly progress: Progress | undefined },
): Uint8Array {
  const refused = new Set(choice.refusedModules);
  // Taken from the plain form in any case: it is quicker, and nothing in memory depends on the form.
  const rewritten = prepareModule(readWasm(), { ...formOf(choice), metered: false });
  const recipe: ImageRecipe = {
    allowsModule: (name) => !refused.has(name),
    preload: preloadedModules,
    compile: bytecodeModules,
  };
  const bytecode = new MemoryFileSystem({
    quotaBytes: 1 << 28,
    maxInodes: 100_000,
    now: () => 0n,
    owner: guestOwner,
    rootMode: 0o755,
  });
  const prepared = buildSnapshot(rewritten, recipe, {
    makeKernel: () => buildKernel(library, guestFiles, bytecode),
    ...(choice.progress && { onStep: choice.progress }),
  });
  return encodeImage({
    hiddenGlobals: rewritten.hiddenGlobals,
    ...prepared,
    bytecode: harvest(bytecode.root),
  });
}

function buildKernel(
  library: Uint8Array,
  guestFiles: ReadonlyMap<string, Uint8Array>,
  bytecode: MemoryFileSystem,
): Kernel {
  return new Kernel(
    makeBareProcess({
      library: new ArchiveFileSystem(library, inflateRaw, { extra: guestFiles }),
      mounts: [["/pycache", bytecode]],
      clocks: new Clocks("frozen", stillClock),
      entropy: fixedEntropy,
      // What Python says of a failed build is in the error that is thrown for it.
      write: () => {},
    }),
  );
}

/** Bytecode files by path below the library: the cache mirrors absolute paths and has no __pycache__ folders. */
function harvest(root: DirectoryNode): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const visit = (directory: DirectoryNode, path: string): void => {
    for (const { name, node } of directory.list()) {
      if (node.kind === "directory") visit(node, `${path}/${name}`);
      if (node.kind !== "file" || !path.startsWith(byteString(libraryDirectory))) continue;
      const content = new Uint8Array(node.attributes().size);
      const handle = node.open({ read: true, write: false, append: false, truncate: false });
      handle.read(content, 0);
      handle.close();
      const folder = path.slice(libraryDirectory.length + 1);
      files.set(`${folder}${folder && "/"}__pycache__/${name}`, content);
    }
  };
  visit(root, "");
  return files;
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
