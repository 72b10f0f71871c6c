// The image for a set of built-in modules: from memory, from the cache on disk, or built. Files in the cache are keyed by
// everything that went into them, so a change of version, format, guest code or hash simply misses.

import { byteString, displayString } from "../abi/guest-memory.ts";
import { ArchiveFileSystem } from "../filesystems/archive-filesystem.ts";
import { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { SkeletonFileSystem } from "../filesystems/skeleton.ts";
import { libraryDirectory } from "../interpreter/boot.ts";
import { distribution, verifyDistributionFile } from "../interpreter/distribution.ts";
import { buildSnapshot, type ImageRecipe, type ModuleForm, prepareModule } from "../interpreter/image.ts";
import { encodeImage, type Image } from "../interpreter/image-file.ts";
import { checkImports } from "../kernel/bind-imports.ts";
import { StandardStream } from "../kernel/character-file.ts";
import { Clocks } from "../kernel/clocks.ts";
import type { DirectoryNode } from "../kernel/filesystem.ts";
import { HostMemory } from "../kernel/host-memory.ts";
import { Kernel } from "../kernel/kernel.ts";
import { Mounts } from "../kernel/mounts.ts";
import { guestOwner } from "../kernel/permissions.ts";
import type { ClockPower, EntropyPower } from "../kernel/powers.ts";
import { Process } from "../kernel/process.ts";
import { utc } from "../kernel/time-zone.ts";
import { ImageStore } from "../platform/node/image-store.ts";
import { readDistributionFile, readGuestFiles } from "../platform/node/package-files.ts";
import { inflateRaw, sha256 } from "../platform/node/powers.ts";
import { bytecodeModules, preloadedModules } from "./library-choice.ts";

/** Raised when the layout of a cached file or the way an image is made changes. */
const imageFormat = 5;

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
const stillClock: ClockPower = { wallNs: () => buildTimeNs, monotonicNs: () => 0n, sleepMs: () => {} };

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

const loaded = new Map<string, Promise<LoadedImage>>();

/** The image without these built-in extension modules (sorted, unique). */
export function loadImage(refusedModules: readonly string[], progress?: Progress): Promise<LoadedImage> {
  const name = refusedModules.join(",");
  let image = loaded.get(name);
  if (image === undefined) {
    image = load(refusedModules, progress);
    loaded.set(name, image);
    image.catch(() => loaded.delete(name));
  }
  return image;
}

async function load(refusedModules: readonly string[], progress: Progress | undefined): Promise<LoadedImage> {
  const store = new ImageStore();
  const guestFiles = readGuestFiles();
  const library = shared(readDistributionFile("library"));
  verifyDistributionFile("library", library, sha256);
  const recipe = {
    format: imageFormat,
    wasm: distribution.wasm.sha256,
    library: distribution.library.sha256,
    refused: refusedModules,
    preload: preloadedModules,
    compile: bytecodeModules,
  };
  const key = sha256(new TextEncoder().encode(JSON.stringify(recipe)), ...guestFiles.values()).slice(0, 40);
  const cachedModule = store.read(`${key}.wasm`, false);
  const compiled = cachedModule && WebAssembly.compile(cachedModule as Uint8Array<ArrayBuffer>);
  const cachedImage = cachedModule && store.read(`${key}.image`, true);
  if (compiled && cachedImage) {
    const module = await compiled;
    checkImports(WebAssembly.Module.imports(module));
    return { key, module, image: cachedImage, library, guestFiles };
  }
  progress?.("preparing the interpreter (once per version)");
  const built = build(library, guestFiles, { refused: refusedModules, progress });
  store.write(`${key}.wasm`, [built.lean]);
  store.write(`${key}.image`, [built.image]);
  const module = await WebAssembly.compile(built.lean as Uint8Array<ArrayBuffer>);
  return { key, module, image: shared(built.image), library, guestFiles };
}

/** The image's module as bytes, for a process that compiles it itself. Made anew (in half a second) where it is not cached. */
export function readLeanModule(image: LoadedImage, refusedModules: readonly string[]): Uint8Array {
  return (
    new ImageStore().read(`${image.key}.wasm`, false) ??
    prepareModule(readWasm(), formOf(refusedModules)).lean
  );
}

/** Foreign calls look symbols up by name. */
function formOf(refusedModules: readonly string[]): ModuleForm {
  return { allSymbols: !refusedModules.includes("_ctypes") };
}

function readWasm(): Uint8Array {
  const wasm = readDistributionFile("wasm");
  verifyDistributionFile("wasm", wasm, sha256);
  return wasm;
}

function build(
  library: Uint8Array,
  guestFiles: ReadonlyMap<string, Uint8Array>,
  choice: { readonly refused: readonly string[]; readonly progress: Progress | undefined },
): { lean: Uint8Array; image: Uint8Array } {
  const refused = new Set(choice.refused);
  const rewritten = prepareModule(readWasm(), formOf(choice.refused));
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
  const { snapshot, rehash } = buildSnapshot(rewritten, recipe, {
    makeKernel: () => buildKernel(library, guestFiles, bytecode),
    ...(choice.progress && { onStep: choice.progress }),
  });
  const image: Image = {
    hiddenGlobals: rewritten.hiddenGlobals,
    snapshot,
    rehash,
    bytecode: harvest(bytecode.root),
  };
  return { lean: rewritten.lean, image: encodeImage(image) };
}

function buildKernel(
  library: Uint8Array,
  guestFiles: ReadonlyMap<string, Uint8Array>,
  bytecode: MemoryFileSystem,
): Kernel {
  const skeleton = new SkeletonFileSystem({ timeNs: 0n });
  const mounts = new Mounts(skeleton);
  mounts.mount(
    skeleton.directory(libraryDirectory),
    new ArchiveFileSystem(library, inflateRaw, { extra: guestFiles }),
  );
  mounts.mount(skeleton.directory("/pycache"), bytecode);
  const failures: string[] = [];
  const output = {
    write: (_stream: string, bytes: Uint8Array) => {
      failures.push(displayString(String.fromCharCode(...bytes.subarray(0, 10_000))));
    },
  };
  return new Kernel(
    new Process({
      mounts,
      cwd: mounts.root,
      clocks: new Clocks("frozen", stillClock),
      timeZone: utc,
      entropy: fixedEntropy,
      environment: [],
      streams: [
        StandardStream.input({ read: () => 0 }, 0n),
        StandardStream.output(output, "stdout", 0n),
        StandardStream.output(output, "stderr", 0n),
      ],
      limits: { memoryBytes: 1 << 30, openFiles: 64 },
      hostMemory: new HostMemory(1 << 26),
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
