// What one run wrote and how long it took, collected while it goes on, so that it is there however the run ends.

import { monotonicMs } from "../platform/node/powers.ts";
import type { Meters } from "./meters.ts";
import type { OutputStream } from "./output-ring.ts";
import type { SandboxPlan } from "./plan.ts";
import type { Run } from "./run.ts";
import { type Usage, usageOf } from "./usage.ts";
import type { TakeOutput } from "./wall.ts";

type Collected = Pick<Run, "stdout" | "stderr" | "usage">;

export class RunRecord {
  readonly #plan: SandboxPlan;
  readonly #onOutput: TakeOutput | undefined;
  readonly #onFailure: () => void;
  readonly #startMs = monotonicMs();
  readonly #chunks: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
  #outputBytes = 0;
  #attached = false;
  /** What the embedder's own `onOutput` threw first. */
  failure: { readonly thrown: unknown } | undefined;

  /** `onFailure` is called when `onOutput` throws. */
  constructor(plan: SandboxPlan, onOutput: TakeOutput | undefined, onFailure: () => void) {
    this.#plan = plan;
    this.#onOutput = onOutput;
    this.#onFailure = onFailure;
  }

  readonly take: TakeOutput = (stream, bytes) => {
    this.#outputBytes += bytes.length;
    this.#chunks[stream].push(bytes);
    if (this.failure !== undefined) return;
    try {
      this.#onOutput?.(stream, bytes);
    } catch (thrown) {
      this.failure = { thrown };
      this.#onFailure();
    }
  };

  usage(meters: Partial<Meters> = {}): Usage {
    const outside = { wallMs: monotonicMs() - this.#startMs, outputBytes: this.#outputBytes };
    return usageOf(this.#plan, { ...outside, ...meters });
  }

  finish(meters?: Partial<Meters>): Collected {
    return {
      stdout: decode(this.#chunks.stdout),
      stderr: decode(this.#chunks.stderr),
      usage: this.usage(meters),
    };
  }

  /** Errors carry what the run wrote before it failed, as `stdout`, `stderr` and `usage`. */
  attachTo(error: Error, meters?: Partial<Meters>): void {
    if (this.#attached) return;
    this.#attached = true;
    Object.assign(error, this.finish(meters));
  }
}

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}
