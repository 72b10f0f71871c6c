// The image for a set of built-in modules: from memory, from the cache on disk, or built. Files in the cache are keyed by
// everything that went into them, so a change of version, format, guest code or hash simply misses.

import { ImageError } from "../../errors/image-error.ts";
import { distribution } from "../../interpreter/distribution.ts";
import { hotFunctionBits } from "../../interpreter/hot-function-bits.ts";
import { decodeImage } from "../../interpreter/image-file.ts";
import { ImageStore } from "../../platform/node/cache/image-store.ts";
import { digestOf, guestDigest, readGuestFiles } from "../../platform/node/package-files.ts";
import { checksum } from "../../platform/node/powers.ts";
import { CodeFile, type CompiledImage } from "./code-file.ts";
import type { ImageChoice } from "./image-build.ts";
import { readKnownFile } from "./known-files.ts";
import { bytecodeModules, preloadedModules } from "./library-choice.ts";
import { encodeLibrary } from "./library-file.ts";
import { PrefilledImage } from "./prefilled-image.ts";
import type { Progress } from "./progress.ts";
import { openRest } from "./rest-module.ts";
import { SharedBytes } from "./shared-bytes.ts";

/** Raised when the layout of a cached file or the way an image is made changes. */
const imageFormat = 41;

/** Loaded when it is needed: most starts find everything in the cache. */
const builder = () => import("./image-build.ts");

/** What a worker needs to run an interpreter: everything is shared between threads, nothing is copied. */
export interface LoadedImage extends CompiledImage {
  /** What `module` lacks. */
  readonly rest: SharedBytes;
  /** Names the files of this image in the cache. */
  readonly key: string;
  /** The encoded image, in shared memory. Of a prefilled one it is read when it is first asked for. */
  readonly image: Uint8Array;
  readonly library: SharedBytes;
  readonly prefilled?: PrefilledImage | undefined;
}

type Share = Pick<LoadedImage, "image" | "library" | "prefilled">;

const loaded = new Map<string, Promise<LoadedImage>>();
/** All forms of a module share these, by key. */
const shares = new Map<string, Share>();

export interface ImageBytes extends Pick<LoadedImage, "image" | "library" | "rest"> {
  readonly lean: Uint8Array;
  /** The engine's code of the module, where there is such. */
  readonly code: Uint8Array | undefined;
}

interface LoadOptions {
  readonly progress?: Progress | undefined;
  /** Whether the caller makes use of the keeper of an image that has one. */
  readonly keepsCode?: boolean;
  /** Compiling waits for it: no thread starts while the engine's flags are changed, since that would take it twice as long. */
  readonly undisturbed?: Promise<void> | undefined;
  /** Whether the first interpreter is one of this thread, which takes the memory of a prefilled image. */
  readonly prefill?: boolean;
}

export function loadImage(choice: ImageChoice, options: LoadOptions = {}): Promise<LoadedImage> {
  const name = choiceName(choice);
  let image = loaded.get(name);
  if (image === undefined) {
    image = load(choice, options);
    loaded.set(name, image);
    image.catch(() => loaded.delete(name));
  }
  return image;
}

type Located = ReturnType<typeof locate>;

/** Where the files of an image are. */
function locate(choice: ImageChoice) {
  const store = new ImageStore();
  const recipe = {
    format: imageFormat,
    wasm: distribution.wasm.sha256,
    library: distribution.library.sha256,
    timeZones: distribution.timeZones.sha256,
    refused: choice.refusedModules,
    preload: preloadedModules,
    compile: bytecodeModules,
    first: hotFunctionBits,
  };
  // What others made is told by its SHA-256; how we make an image of it, by a checksum: to load a hash takes longer than all else here.
  const made = checksum(new TextEncoder().encode(JSON.stringify(recipe)));
  const key = `${guestDigest().slice(0, 32)}${made.toString(16).padStart(8, "0")}`;
  const name = moduleFile(key, choice);
  return { choice, store, key, name, codeFile: new CodeFile(store, name) };
}

/** Throws ImageError when they are not those that images are named after. */
function demandGuestFiles(): ReadonlyMap<string, Uint8Array> {
  let files: ReadonlyMap<string, Uint8Array>;
  try {
    files = readGuestFiles();
  } catch (cause) {
    const { message } = cause as Error;
    throw new ImageError("IMAGE_UNKNOWN_FILE", `a file in guest/ cannot be read: ${message}`, { cause });
  }
  if (digestOf(files) === guestDigest()) return files;
  throw new ImageError(
    "IMAGE_UNKNOWN_FILE",
    "the files in guest/ are not those that this package was built with",
  );
}

async function load(choice: ImageChoice, options: LoadOptions): Promise<LoadedImage> {
  const { progress, keepsCode = false, prefill = false } = options;
  const located = locate(choice);
  const { store, key, codeFile } = located;
  const { parts, code } = await readModule(located);
  // Read while the module is compiled, which takes longest, and not while that is read: to touch new pages is most of reading.
  const reading = shares.get(key) ?? readShare(store, key, prefill);
  await options.undisturbed;
  let compiled = parts && codeFile.compile(parts.first, code, keepsCode);
  const found = (await reading) ?? shares.get(key);
  if (compiled === undefined || found === undefined)
    progress?.("preparing the interpreter (once per version)");
  const share = found ?? (await buildShare(store, key, choice, progress));
  shares.set(key, share);
  const { first, rest } = parts ?? (await makeModule(located, share.image));
  compiled ??= codeFile.compile(first, code, keepsCode);
  const { library, prefilled } = share;
  return {
    key,
    rest,
    ...compiled,
    library,
    prefilled,
    get image() {
      return share.image;
    },
  };
}

async function buildShare(
  store: ImageStore,
  key: string,
  choice: ImageChoice,
  progress: Progress | undefined,
): Promise<Share> {
  const { buildImage } = await builder();
  const { image, library } = buildImage(demandGuestFiles(), choice, progress);
  store.keep(imageFile(key), [image]);
  store.keep(libraryFile(key), [library]);
  return { image: shared(image), library: SharedBytes.of(library) };
}

/** A library that turns out to be damaged on its first use serves without its bytecode, and is made anew at the next start. */
async function readShare(store: ImageStore, key: string, prefill = false): Promise<Share | undefined> {
  const prefilled = prefill ? await PrefilledImage.read(store, imageFile(key)) : undefined;
  const bytes = prefilled?.bytes ?? (await store.read(imageFile(key), { shared: true }))?.content;
  if (bytes === undefined) return undefined;
  const { libraryBytes } = decodeImage(bytes);
  if (store.size(libraryFile(key)) !== libraryBytes) {
    prefilled?.close();
    return undefined;
  }
  const library = SharedBytes.ofSize(libraryBytes, (content) => {
    if (store.readInto(libraryFile(key), content)) return;
    store.remove(libraryFile(key));
    const [archive, wheel] = [readKnownFile("library"), readKnownFile("timeZones")];
    content.set(encodeLibrary({ archive, wheel, files: demandGuestFiles() }));
  });
  return {
    get image() {
      prefilled?.complete();
      return bytes;
    },
    library,
    prefilled,
  };
}

/** Descriptors of the files that a process reads an image from. Whoever asked for them closes them. */
export interface ImageFiles {
  readonly lean: number;
  /** Undefined where the engine's code cannot be had. */
  readonly code: number | undefined;
  readonly image: number;
  readonly library: number;
  readonly rest: number;
}

/** Undefined when one of them is not in the cache. None is verified. */
export function openImageFiles(choice: ImageChoice): ImageFiles | undefined {
  const { store, key, name, codeFile } = locate(choice);
  const codeName = codeFile.name;
  const names = [name, imageFile(key), libraryFile(key), restFile(name)];
  const [lean, image, library, rest, code] = store.openAll([...names, ...(codeName ? [codeName] : [])]) ?? [];
  return lean === undefined || image === undefined || library === undefined || rest === undefined
    ? undefined
    : { lean, code, image, library, rest };
}

/** The same uncompiled, for a process that compiles it itself; `load` is called when something of it is not in the cache. */
export async function loadBytes(choice: ImageChoice, load: () => Promise<LoadedImage>): Promise<ImageBytes> {
  const found = await readBytes(choice);
  if (found && !found.lacksCode) return found;
  const { image, library } = await load();
  const made = await readBytes(choice);
  if (made) return made;
  const { first, rest } = await makeModule(locate(choice), image);
  return { image, library, lean: first, rest, code: undefined };
}

/** `lacksCode`: there could be code of it, and is none. */
async function readBytes(
  choice: ImageChoice,
): Promise<(ImageBytes & { readonly lacksCode: boolean }) | undefined> {
  const located = locate(choice);
  const { store, key, codeFile } = located;
  const [share, { parts, code }] = await Promise.all([
    shares.get(key) ?? readShare(store, key),
    readModule(located),
  ]);
  if (share === undefined || parts === undefined || !canBeRead(parts.rest)) return undefined;
  shares.set(key, share);
  const { first, rest } = parts;
  return { ...share, lean: first, rest, code, lacksCode: codeFile.name !== undefined && code === undefined };
}

function canBeRead(rest: SharedBytes): boolean {
  try {
    rest.bytes();
    return true;
  } catch {
    return false;
  }
}

interface ModuleParts {
  readonly first: Uint8Array;
  readonly rest: SharedBytes;
}

/** The module, unless a part of it is missing, and the engine's code of its first part. */
async function readModule({
  choice,
  store,
  name,
  codeFile,
}: Located): Promise<{ readonly parts?: ModuleParts; readonly code?: Uint8Array | undefined }> {
  const reading = store.read(name);
  const [first, code] = await Promise.all([reading, codeFile.read(reading)]);
  const rest = first && openRest(store, restFile(name), first, () => loaded.delete(choiceName(choice)));
  return first && rest ? { parts: { first: first.content, rest }, code } : {};
}

async function makeModule({ choice, store, name }: Located, image: Uint8Array): Promise<ModuleParts> {
  const { snapshot } = decodeImage(image);
  const { first, rest } = (await builder()).buildModule(choice, snapshot.memoryBytes);
  store.keep(restFile(name), [rest], checksum(first));
  store.keep(name, [first]);
  return { first, rest: SharedBytes.of(rest) };
}

const choiceName = (choice: ImageChoice): string => `${formName(choice)}:${choice.refusedModules.join(",")}`;
const formName = ({ metered, tracked }: ImageChoice): string =>
  `${metered ? "metered" : "plain"}${tracked ? "-tracked" : ""}`;
const moduleFile = (key: string, choice: ImageChoice): string => `${key}.${formName(choice)}.wasm`;
const restFile = (moduleName: string): string => `${moduleName}.rest`;
const imageFile = (key: string): string => `${key}.image`;
const libraryFile = (key: string): string => `${key}.library`;

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
