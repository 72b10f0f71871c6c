// Builds what the cache keeps: the rewritten module, an interpreter that has been booted in it, and the library with its bytecode.
import { byteString } from "../../abi/guest-memory.ts";
import { MemoryFileSystem } from "../../filesystems/memory-filesystem.ts";
import { libraryDirectory } from "../../interpreter/boot.ts";
import { hotFunctions } from "../../interpreter/hot-functions.ts";
import { buildSnapshot, type ImageRecipe, type ModuleForm, prepareModule } from "../../interpreter/image.ts";
import { encodeImage } from "../../interpreter/image-file.ts";
import { importMemory } from "../../interpreter/wasm/import-memory.ts";
import { cardTable } from "../../interpreter/wasm/marking/card-table.ts";
import { markWrites } from "../../interpreter/wasm/marking/mark-writes.ts";
import { emptyModule, type SplitModule, splitModule } from "../../interpreter/wasm/splitting/split-module.ts";
import { Clocks } from "../../kernel/clocks.ts";
import type { DirectoryNode } from "../../kernel/filesystem.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { guestOwner } from "../../kernel/permissions.ts";
import type { ClockPower, EntropyPower } from "../../kernel/powers.ts";
import { inflateRaw } from "../../platform/node/powers.ts";
import { makeBareProcess } from "./bare-process.ts";
import { readKnownFile } from "./known-files.ts";
import { bytecodeModules, preloadedModules } from "./library-choice.ts";
import { encodeLibrary, type LibraryFiles } from "./library-file.ts";
import { installLibrary } from "./library-filesystem.ts";
import type { Progress } from "./progress.ts";

export interface ImageChoice {
  /** Built-in extension modules that the interpreter lacks: sorted, unique. */
  readonly refusedModules: readonly string[];
  /** All forms of a module share one snapshot. */
  readonly metered: boolean;
  /** Whether the module notes which pages it writes: see wasm/marking/card-table.ts. */
  readonly tracked: boolean;
}

interface BuiltImage {
  /** For decodeImage. */
  readonly image: Uint8Array;
  /** For decodeLibrary. */
  readonly library: Uint8Array;
}

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

/** The lean form of the module, for snapshots with so much memory, in a second; a tracked one in a second and a half. */
export function buildModule(choice: ImageChoice, memoryBytes: number): SplitModule {
  const { whole, functionCount } = buildWholeModule(choice, memoryBytes);
  // Where every function is exported, each is reached and each import is used.
  if (formOf(choice).allSymbols) return { first: whole, rest: emptyModule };
  const hot = hotFunctions();
  return splitModule(whole, (index) => hot.has(index), functionCount);
}

/** The same before it is split. `functionCount`: see RewrittenImage. */
export function buildWholeModule(
  choice: ImageChoice,
  memoryBytes: number,
): { readonly whole: Uint8Array; readonly functionCount: number } {
  const { lean, functionCount } = prepareModule(readKnownFile("wasm"), formOf(choice));
  const sharing = importMemory(lean);
  const whole = choice.tracked ? markWrites(sharing, cardTable(memoryBytes)) : sharing;
  return { whole, functionCount };
}

function formOf(choice: ImageChoice): ModuleForm {
  // Foreign calls look symbols up by name.
  return { metered: choice.metered, allSymbols: !choice.refusedModules.includes("_ctypes") };
}

/** In a few seconds. Throws ImageError. */
export function buildImage(
  guestFiles: ReadonlyMap<string, Uint8Array>,
  choice: ImageChoice,
  progress?: Progress,
  modules: Pick<ImageRecipe, "preload" | "compile"> = { preload: preloadedModules, compile: bytecodeModules },
): BuiltImage {
  const archive = readKnownFile("library");
  const wheel = readKnownFile("timeZones");
  const refused = new Set(choice.refusedModules);
  // Taken from the plain form in any case: it is quicker, and nothing in memory depends on the form.
  const rewritten = prepareModule(readKnownFile("wasm"), { ...formOf(choice), metered: false });
  const recipe: ImageRecipe = {
    allowsModule: (name) => !refused.has(name),
    ...modules,
  };
  const bytecode = new MemoryFileSystem({
    quotaBytes: 1 << 28,
    maxInodes: 100_000,
    now: () => 0n,
    owner: guestOwner,
    rootMode: 0o755,
  });
  const prepared = buildSnapshot(rewritten, recipe, {
    makeKernel: () => buildKernel({ archive, wheel, files: guestFiles }, bytecode),
    ...(progress && { onStep: progress }),
  });
  const library = encodeLibrary({
    archive,
    wheel,
    files: new Map([...guestFiles, ...harvest(bytecode.root)]),
  });
  const { hiddenGlobals } = rewritten;
  const image = encodeImage({ hiddenGlobals, ...prepared, libraryBytes: library.length });
  return { image, library };
}

function buildKernel(library: LibraryFiles, bytecode: MemoryFileSystem): Kernel {
  return new Kernel(
    makeBareProcess({
      library: installLibrary(library, inflateRaw),
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
