// What one run wrote and how long it took, collected while it goes on, so that it is there however the run ends.

import type { Usage, UsageLimits } from "../errors/usage.ts";
import { monotonicMs, warn } from "../platform/node/powers.ts";
import { hearFailure } from "./callbacks.ts";
import type { Meters } from "./meters.ts";
import type { Run, TakeOutput } from "./run.ts";
import { usageOf } from "./usage.ts";
import type { OutputStream } from "./walls/output-ring.ts";

/** One for all: to make one takes longer than to decode what most runs write. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

type Collected = Pick<Run, "stdout" | "stderr" | "usage">;

export class RunRecord {
  readonly #limits: UsageLimits;
  readonly #onOutput: TakeOutput | undefined;
  readonly #onFailure: () => void;
  readonly #startMs = monotonicMs();
  readonly #captured: Record<OutputStream, Captured> = { stdout: new Captured(), stderr: new Captured() };
  #outputBytes = 0;
  #attached = false;
  #isOver = false;
  /** What the embedder's own `onOutput` threw first, or its promise rejected with. */
  failure: { readonly thrown: unknown } | undefined;

  /** `onFailure` is called when `onOutput` fails. */
  constructor(limits: UsageLimits, onOutput: TakeOutput | undefined, onFailure: () => void) {
    this.#limits = limits;
    this.#onOutput = onOutput;
    this.#onFailure = onFailure;
  }

  readonly take: TakeOutput = (stream, bytes) => {
    this.#outputBytes += bytes.length;
    this.#captured[stream].append(bytes);
    if (this.failure !== undefined) return;
    try {
      hearFailure(this.#onOutput?.(stream, bytes), this.#failed);
    } catch (thrown) {
      this.#failed(thrown);
    }
  };

  readonly #failed = (thrown: unknown): void => {
    if (this.#isOver) warn("onOutput failed when its run was over", thrown);
    if (this.#isOver || this.failure !== undefined) return;
    this.failure = { thrown };
    this.#onFailure();
  };

  /** The run is over: what fails from now on cannot fail it. */
  end(): void {
    this.#isOver = true;
  }

  /** `meters`: what was measured inside, where the run came to its end. */
  usage(meters?: Meters): Usage {
    const outside = { wallMs: monotonicMs() - this.#startMs, outputBytes: this.#outputBytes };
    return usageOf(this.#limits, meters ?? outside);
  }

  finish(meters?: Meters): Collected {
    return {
      stdout: this.#captured.stdout.text(),
      stderr: this.#captured.stderr.text(),
      usage: this.usage(meters),
    };
  }

  /** Errors carry what the run wrote before it failed, as `stdout`, `stderr` and `usage`. */
  attachTo(error: Error, meters?: Meters): void {
    if (this.#attached) return;
    this.#attached = true;
    Object.assign(error, this.finish(meters));
  }
}

/** Bytes one after the other: a guest that writes them singly must not be held as an array each, 250 times their size. */
class Captured {
  #bytes = new Uint8Array(0);
  #length = 0;

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  text(): string {
    return decoder.decode(this.#bytes.subarray(0, this.#length));
  }
}
