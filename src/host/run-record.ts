// What one run wrote and how long it took, collected while it goes on, so that it is there however the run ends.

import { monotonicMs } from "../platform/node/powers.ts";
import type { OutputStream } from "./output-ring.ts";
import type { Run, Usage } from "./run.ts";

type Collected = Pick<Run, "stdout" | "stderr" | "usage">;

export class RunRecord {
  readonly #onOutput: ((stream: OutputStream, bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  readonly #startMs = monotonicMs();
  readonly #chunks: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
  #outputBytes = 0;
  #attached = false;

  constructor(onOutput: ((stream: OutputStream, bytes: Uint8Array<ArrayBuffer>) => void) | undefined) {
    this.#onOutput = onOutput;
  }

  get elapsedMs(): number {
    return monotonicMs() - this.#startMs;
  }

  take(stream: OutputStream, bytes: Uint8Array<ArrayBuffer>): void {
    this.#outputBytes += bytes.length;
    this.#chunks[stream].push(bytes);
    this.#onOutput?.(stream, bytes);
  }

  finish(memoryBytes: number): Collected {
    const usage: Usage = { wallMs: this.elapsedMs, memoryBytes, outputBytes: this.#outputBytes };
    return { stdout: decode(this.#chunks.stdout), stderr: decode(this.#chunks.stderr), usage };
  }

  /** Errors carry what the run wrote before it failed, as `stdout`, `stderr` and `usage`. */
  attachTo(error: Error, memoryBytes: number): void {
    if (this.#attached) return;
    this.#attached = true;
    Object.assign(error, this.finish(memoryBytes));
  }
}

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}
