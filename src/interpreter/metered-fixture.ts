// Interpreters of both forms for tests: the image of the host's cache, files in memory, a clock that stands still and entropy
// that repeats, so that two runs differ in nothing.
import { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { makeBareProcess } from "../host/images/bare-process.ts";
import { type LoadedImage, loadImage } from "../host/images/image-cache.ts";
import { refusedByDefault } from "../host/images/library-choice.ts";
import { decodeLibrary } from "../host/images/library-file.ts";
import { installLibrary } from "../host/images/library-filesystem.ts";
import { compileRest } from "../host/images/rest-module.ts";
import { Clocks } from "../kernel/clocks.ts";
import { Kernel } from "../kernel/kernel.ts";
import { guestOwner } from "../kernel/permissions.ts";
import type { Process } from "../kernel/process.ts";
import { inflateRaw, nodeClock, nodeMemory } from "../platform/node/powers.ts";
import { decodeImage } from "./image-file.ts";
import { Interpreter, type Outcome, usedMemory } from "./interpreter.ts";
import { decodeMarshal, decodeValue } from "./marshal/decode.ts";
import { encodeMarshal } from "./marshal/encode.ts";

export const loadForm = (metered: boolean, tracked = false): Promise<LoadedImage> =>
  loadImage({ refusedModules: refusedByDefault, metered, tracked });

interface TrialLimits {
  readonly sliceUnits?: number;
  readonly budget?: number;
  /** Ends the guest when it asks for the host for that many times. */
  readonly maxAsked?: number;
}

export class Trial {
  readonly #loaded: LoadedImage;
  readonly #rest: () => WebAssembly.Module;
  readonly #kernel: Kernel;
  #interpreter: Interpreter;
  readonly #image;
  #maxAsked = Number.POSITIVE_INFINITY;
  #buffer: ArrayBufferLike | undefined;
  asked = 0;

  constructor(loaded: LoadedImage) {
    this.#loaded = loaded;
    this.#rest = compileRest(() => loaded.rest.bytes());
    this.#image = decodeImage(loaded.image);
    this.#kernel = new Kernel(this.#process(), () => this.#ask());
    this.#interpreter = this.#start();
  }

  #start(memory?: WebAssembly.Memory): Interpreter {
    const power = {
      clear: nodeMemory.clear,
      copy: (target: Uint8Array, source: Uint8Array) => {
        this.#buffer = target.buffer;
        nodeMemory.copy(target, source);
      },
    };
    return Interpreter.start(this.#loaded.module, this.#kernel, this.#image, power, {
      memory: usedMemory(memory),
      rest: this.#rest,
    });
  }

  /** A copy of all of linear memory. */
  memory(): Buffer {
    return Buffer.from(new Uint8Array(this.#buffer ?? new ArrayBuffer(0)));
  }

  get buffer(): ArrayBufferLike | undefined {
    return this.#buffer;
  }

  get notesHold(): boolean {
    return this.#kernel.machine.guest.notesHold;
  }

  get hasGrown(): boolean {
    return this.#interpreter.hasGrown;
  }

  /** Units that the last run has used. */
  get spent(): number {
    return this.#kernel.gauge?.spent ?? 0;
  }

  run(source: string, limits: TrialLimits = {}): Outcome {
    this.asked = 0;
    this.#maxAsked = limits.maxAsked ?? Number.POSITIVE_INFINITY;
    this.#kernel.gauge?.start(limits.budget, limits.sliceUnits);
    const request = { action: "run", source, filename: null, inputs: {}, finalize: false };
    return this.#interpreter.request(encodeMarshal(request, { maxBytes: 1 << 24 }), 1 << 24);
  }

  /** What a run's last expression is, or how it ended otherwise. */
  value(source: string, limits?: TrialLimits): unknown {
    const outcome = this.run(source, limits);
    if (outcome.kind !== "answer") return outcome;
    const answer = decodeMarshal(outcome.bytes) as Map<string, unknown>;
    if (answer.get("end") === "encoded")
      return decodeValue(answer.get("value") as Uint8Array, { records: answer.get("records") === true });
    return answer.get("end") === "value" ? answer.get("value") : answer;
  }

  /** After a trap, or in any case, in a new instance. */
  replace(): void {
    this.#restart();
    this.#interpreter = this.#start(this.#interpreter.memory);
  }

  reset(): void {
    this.#restart();
    this.#interpreter.reset();
  }

  #restart(): void {
    this.#maxAsked = Number.POSITIVE_INFINITY;
    this.#kernel.gauge?.start();
    this.#kernel.restart(this.#process());
  }

  #ask(): number {
    this.asked += 1;
    if (this.asked >= this.#maxAsked || this.#kernel.gauge?.refill() === false) {
      throw this.#kernel.stop({ kind: "limit", limit: "wall", budget: 0, used: this.spent });
    }
    return 0;
  }

  #process(): Process {
    const library = decodeLibrary(this.#loaded.library.bytes());
    const scratch = new MemoryFileSystem({
      quotaBytes: 1 << 24,
      maxInodes: 100,
      now: () => 0n,
      owner: guestOwner,
      rootMode: 0o755,
    });
    return makeBareProcess({
      library: installLibrary(library, inflateRaw),
      mounts: [["/tmp", scratch]],
      clocks: new Clocks("frozen", nodeClock),
      entropy: { fill: (target) => target.fill(7) },
      write: () => {},
    });
  }
}
