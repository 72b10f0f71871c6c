// A whole interpreter for the tests of this folder: the real image, its library, and a hash secret or a plan of the test's choice.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ArchiveFileSystem } from "../../filesystems/archive-filesystem.ts";
import { SkeletonFileSystem } from "../../filesystems/skeleton.ts";
import { type LoadedImage, loadImage } from "../../host/image-cache.ts";
import { refusedByDefault } from "../../host/library-choice.ts";
import { StandardStream } from "../../kernel/character-file.ts";
import { Clocks } from "../../kernel/clocks.ts";
import type { FileSystem } from "../../kernel/filesystem.ts";
import { HostMemory } from "../../kernel/host-memory.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { Mounts } from "../../kernel/mounts.ts";
import { Process } from "../../kernel/process.ts";
import { utc } from "../../kernel/time-zone.ts";
import { clearMemory, inflateRaw, nodeClock, nodeEntropy } from "../../platform/node/powers.ts";
import { libraryDirectory } from "../boot.ts";
import { decodeImage, type Image } from "../image-file.ts";
import { Interpreter, type Renewal } from "../interpreter.ts";
import { decodeMarshal } from "../marshal/decode.ts";
import { encodeMarshal } from "../marshal/encode.ts";
import type { GuestValue } from "../marshal/values.ts";
import { hashSecretBytes } from "./plan.ts";

/** Python that walks over everything that is alive and lists what a hash table does not find. */
export const consistencyCheck = readFileSync(join(import.meta.dirname, "consistency.py"), "utf8");

export interface Prepared {
  readonly loaded: LoadedImage;
  readonly image: Image;
}

export async function prepare(): Promise<Prepared> {
  const loaded = await loadImage(refusedByDefault);
  return { loaded, image: decodeImage(loaded.image) };
}

const equipment = { args: [""], environment: [], recursion: 1000, timeoutSignal: 0 };

/** Different in all bytes for different numbers below 256. */
export function secretOf(number: number): Uint8Array {
  return Uint8Array.from(
    { length: hashSecretBytes },
    (_, index) => (number * (2 * index + 1) + index) & 0xff,
  );
}

export class Guest {
  readonly #prepared: Prepared;
  readonly #kernel: Kernel;
  readonly #interpreter: Interpreter;
  readonly #renewal: Renewal;
  #output = "";

  /** Without a secret, it is drawn as in a sandbox. */
  constructor(prepared: Prepared, hashSecret?: Uint8Array) {
    const { loaded, image } = prepared;
    this.#prepared = prepared;
    this.#renewal = hashSecret ? { hashSecret } : {};
    this.#kernel = new Kernel(this.#process());
    this.#interpreter = Interpreter.start(loaded.module, this.#kernel, image, this.#renewal);
    this.#interpreter.equip(equipment);
  }

  /** The value of the last expression. */
  run(source: string): GuestValue {
    const request = { action: "run", source, filename: null, inputs: {}, finalize: false };
    const outcome = this.#interpreter.request(encodeMarshal(request, { maxBytes: 1 << 24 }), 1 << 24);
    if (outcome.kind !== "answer") throw new Error(`${JSON.stringify(outcome)}: ${this.#output}`);
    const answer = decodeMarshal(outcome.bytes) as Map<string, GuestValue>;
    if (answer.get("end") !== "value") throw new Error(`${answer.get("traceback")}: ${this.#output}`);
    return answer.get("value") ?? null;
  }

  reset(): void {
    this.#kernel.restart(this.#process());
    this.#interpreter.reset(clearMemory, this.#renewal);
    this.#interpreter.equip(equipment);
  }

  #process(): Process {
    const { loaded, image } = this.#prepared;
    const files = new Map([...loaded.guestFiles, ...image.bytecode]);
    return guestProcess({ library: loaded.library, files }, { write: (bytes) => this.#write(bytes) });
  }

  #write(bytes: Uint8Array): void {
    this.#output += new TextDecoder().decode(bytes);
  }
}

interface Surroundings {
  readonly write?: (bytes: Uint8Array) => void;
  /** What is mounted where Python keeps its bytecode. */
  readonly bytecode?: FileSystem;
}

export function guestProcess(
  library: { readonly library: Uint8Array; readonly files: ReadonlyMap<string, Uint8Array> },
  { write, bytecode }: Surroundings,
): Process {
  const skeleton = new SkeletonFileSystem({ timeNs: 0n });
  const mounts = new Mounts(skeleton);
  const archive = new ArchiveFileSystem(library.library, inflateRaw, { extra: library.files });
  mounts.mount(skeleton.directory(libraryDirectory), archive);
  if (bytecode) mounts.mount(skeleton.directory("/pycache"), bytecode);
  const output = { write: (_stream: string, bytes: Uint8Array): void => write?.(bytes) };
  return new Process({
    mounts,
    cwd: mounts.root,
    clocks: new Clocks("coarse", nodeClock),
    timeZone: utc,
    entropy: nodeEntropy,
    environment: [],
    streams: [
      StandardStream.input({ read: () => 0 }, 0n),
      StandardStream.output(output, "stdout", 0n),
      StandardStream.output(output, "stderr", 0n),
    ],
    limits: { memoryBytes: 1 << 28, openFiles: 64 },
    hostMemory: new HostMemory(1 << 28),
  });
}
