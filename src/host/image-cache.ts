// The image for a set of built-in modules: from memory, from the cache on disk, or built. Files in the cache are keyed by
// everything that went into them, so a change of version, format, guest code or hash simply misses.
import { ImageError } from "../errors/image-error.ts";
import { distribution } from "../interpreter/distribution.ts";
import { decodeImage } from "../interpreter/image-file.ts";
import { checkImports } from "../kernel/bind-imports.ts";
import { compileInterpreter } from "../platform/node/engine-flags.ts";
import { ImageStore } from "../platform/node/image-store.ts";
import { readGuestFiles } from "../platform/node/package-files.ts";
import { sha256 } from "../platform/node/powers.ts";
import { buildImage, buildModule, type ImageChoice, type Progress } from "./image-build.ts";
import { bytecodeModules, preloadedModules } from "./library-choice.ts";
import { SharedLibrary } from "./shared-library.ts";

/** Raised when the layout of a cached file or the way an image is made changes. */
const imageFormat = 11;

/** What a worker needs to run an interpreter: everything is shared between threads, nothing is copied. */
export interface LoadedImage {
  /** Names the files of this image in the cache. */
  readonly key: string;
  readonly module: WebAssembly.Module;
  /** The encoded image, in shared memory. */
  readonly image: Uint8Array;
  readonly library: SharedLibrary;
}

const loaded = new Map<string, Promise<LoadedImage>>();
/** Both forms of a module share these, by key. */
const shares = new Map<string, Pick<LoadedImage, "image" | "library">>();

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
  const recipe = {
    format: imageFormat,
    wasm: distribution.wasm.sha256,
    library: distribution.library.sha256,
    refused: choice.refusedModules,
    preload: preloadedModules,
    compile: bytecodeModules,
  };
  const key = sha256(new TextEncoder().encode(JSON.stringify(recipe)), ...guestFiles.values()).slice(0, 40);
  const cached = store.read(moduleFile(key, choice), false) as Uint8Array<ArrayBuffer> | undefined;
  let share =
    shares.get(key) ?? readShare(store, key, () => buildImage(guestFiles, choice, undefined).library);
  if (cached === undefined || share === undefined) progress?.("preparing the interpreter (once per version)");
  if (share === undefined) {
    const { image, library } = buildImage(guestFiles, choice, progress);
    store.write(imageFile(key), [image]);
    store.write(libraryFile(key), [library]);
    share = { image: shared(image), library: SharedLibrary.ofSize(library.length, (to) => to.set(library)) };
    // Not held by a closure for as long as the process lives.
    share.library.bytes();
  }
  shares.set(key, share);
  const module = compileInterpreter(cached ?? makeModule(store, key, choice));
  checkImports(WebAssembly.Module.imports(module));
  return { key, module, ...share };
}

/** `rebuild` makes the library anew when it turns out to be damaged on its first use. */
function readShare(
  store: ImageStore,
  key: string,
  rebuild: () => Uint8Array,
): Pick<LoadedImage, "image" | "library"> | undefined {
  const image = store.read(imageFile(key), true);
  if (image === undefined) return undefined;
  const { libraryBytes } = decodeImage(image);
  if (store.size(libraryFile(key)) !== libraryBytes) return undefined;
  const library = SharedLibrary.ofSize(libraryBytes, (content) => {
    if (store.readInto(libraryFile(key), content)) return;
    const built = rebuild();
    if (built.length !== libraryBytes)
      throw new ImageError("IMAGE_BUILD_FAILED", "the library is not the one that the image was made with");
    store.write(libraryFile(key), [built]);
    content.set(built);
  });
  return { image, library };
}

/** The image's module as bytes, for a process that compiles it itself. */
export function readLeanModule(image: LoadedImage, choice: ImageChoice): Uint8Array {
  const store = new ImageStore();
  return store.read(moduleFile(image.key, choice), false) ?? makeModule(store, image.key, choice);
}

function makeModule(store: ImageStore, key: string, choice: ImageChoice): Uint8Array<ArrayBuffer> {
  const lean = buildModule(choice);
  store.write(moduleFile(key, choice), [lean]);
  return lean;
}

const moduleFile = (key: string, choice: ImageChoice): string =>
  `${key}.${choice.metered ? "metered" : "plain"}.wasm`;
const imageFile = (key: string): string => `${key}.image`;
const libraryFile = (key: string): string => `${key}.library`;

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
