// A whole interpreter for the tests of this folder: the real image, its library, and a hash secret or a plan of the test's choice.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeBareProcess } from "../../host/images/bare-process.ts";
import { type LoadedImage, loadImage } from "../../host/images/image-cache.ts";
import { refusedByDefault } from "../../host/images/library-choice.ts";
import { decodeLibrary, type LibraryFiles } from "../../host/images/library-file.ts";
import { installLibrary } from "../../host/images/library-filesystem.ts";
import { compileRest } from "../../host/images/rest-module.ts";
import { Clocks } from "../../kernel/clocks.ts";
import type { FileSystem } from "../../kernel/filesystem.ts";
import { Kernel } from "../../kernel/kernel.ts";
import type { Process } from "../../kernel/process.ts";
import { nodeEntropy } from "../../platform/node/entropy.ts";
import { inflateRaw, nodeClock, nodeMemory } from "../../platform/node/powers.ts";
import { decodeImage, type Image } from "../image-file.ts";
import { Interpreter } from "../interpreter.ts";
import { decodeMarshal } from "../marshal/decode.ts";
import { encodeMarshal } from "../marshal/encode.ts";
import type { GuestValue } from "../marshal/values.ts";
import { hashSecretBytes } from "./plan.ts";

/** Python that walks over everything that is alive and lists what a hash table does not find. */
export const consistencyCheck = readFileSync(join(import.meta.dirname, "consistency.py"), "utf8");

export interface Prepared {
  readonly loaded: LoadedImage;
  readonly library: LibraryFiles;
  readonly image: Image;
}

export async function prepare(): Promise<Prepared> {
  const loaded = await loadImage({ refusedModules: refusedByDefault, metered: false, tracked: false });
  return { loaded, library: decodeLibrary(loaded.library.bytes()), image: decodeImage(loaded.image) };
}

/** Different in all bytes for different numbers below 256. */
export function secretOf(number: number): Uint8Array {
  return Uint8Array.from(
    { length: hashSecretBytes },
    (_, index) => (number * (2 * index + 1) + index) & 0xff,
  );
}

export class Guest {
  readonly interpreter: Interpreter;
  readonly #prepared: Prepared;
  readonly #kernel: Kernel;
  readonly #hashSecret: Uint8Array | undefined;
  #output = "";

  /** Without a secret, it is drawn as in a sandbox. */
  constructor(prepared: Prepared, hashSecret?: Uint8Array) {
    this.#prepared = prepared;
    this.#hashSecret = hashSecret;
    this.#kernel = new Kernel(this.#process());
    this.interpreter = Interpreter.start(prepared.loaded.module, this.#kernel, prepared.image, nodeMemory, {
      hashSecret,
      rest: compileRest(() => prepared.loaded.rest.bytes()),
    });
  }

  /** The value of the last expression. */
  run(source: string): GuestValue {
    const request = { action: "run", source, filename: null, inputs: {}, finalize: false };
    const outcome = this.interpreter.request(encodeMarshal(request, { maxBytes: 1 << 24 }), 1 << 24);
    if (outcome.kind !== "answer") throw new Error(`${JSON.stringify(outcome)}: ${this.#output}`);
    const answer = decodeMarshal(outcome.bytes) as Map<string, GuestValue>;
    if (answer.get("end") === "encoded")
      return decodeMarshal(answer.get("value") as Uint8Array, { records: answer.get("records") === true });
    if (answer.get("end") !== "value") throw new Error(`${answer.get("traceback")}: ${this.#output}`);
    return answer.get("value") ?? null;
  }

  reset(): void {
    this.#kernel.restart(this.#process());
    this.interpreter.reset(this.#hashSecret);
  }

  #process(): Process {
    return guestProcess(this.#prepared.library, { write: (bytes) => this.#write(bytes) });
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

export function guestProcess(library: LibraryFiles, { write = () => {}, bytecode }: Surroundings): Process {
  return makeBareProcess({
    library: installLibrary(library, inflateRaw),
    mounts: bytecode ? [["/pycache", bytecode]] : [],
    clocks: new Clocks("coarse", nodeClock),
    entropy: nodeEntropy,
    write,
  });
}
