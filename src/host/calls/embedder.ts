// What the embedder is told of calls: each call and its answer to whoever observes the run, and what failed in functions of its own.
import type { Arguments } from "../../capabilities/functions/function-capability.ts";
import { hearFailure } from "../callbacks.ts";
import type { FaultEvent } from "../events.ts";
import type { Call } from "./call.ts";

/** A call of a function by the guest, or its end. A call and its answer have the same `id`. */
export type CallEvent =
  | {
      readonly type: "call";
      /** Counts the calls of a sandbox. */
      readonly id: number;
      /** As the guest imports it: "billing.invoice". */
      readonly name: string;
      /** The very object that the function gets. */
      readonly arguments: Arguments;
    }
  | {
      readonly type: "answer";
      readonly id: number;
      readonly name: string;
      /** What it took, in milliseconds. */
      readonly ms: number;
      /** What the function gave; absent where it threw. */
      readonly value?: unknown;
      /** What the function threw instead. */
      readonly error?: unknown;
    };

/** Told of each call when it begins and when it has ended. */
export type ObserveCalls = (event: CallEvent) => void;

export class Embedder {
  readonly #nowMs: () => number;
  readonly #onEvent: (event: FaultEvent) => void;
  #lastId = 0;
  observe: ObserveCalls | undefined;

  constructor(nowMs: () => number, onEvent: (event: FaultEvent) => void) {
    this.#nowMs = nowMs;
    this.#onEvent = onEvent;
  }

  called(call: Call, given: Arguments): void {
    if (this.observe === undefined) return;
    this.#lastId += 1;
    call.observed = { id: this.#lastId, startMs: this.#nowMs() };
    this.#tell({ type: "call", id: this.#lastId, name: call.name, arguments: given });
  }

  answered(call: Call, answer: { readonly value: unknown } | { readonly error: unknown }): void {
    const { observed } = call;
    if (observed === undefined || this.observe === undefined) return;
    const ms = Math.max(0, this.#nowMs() - observed.startMs);
    this.#tell({ type: "answer", id: observed.id, name: call.name, ms, ...answer });
  }

  fault(name: string, operation: string, error: unknown): void {
    this.#onEvent({ type: "fault", path: `host.${name}`, operation, error });
  }

  /** Its run, or its sandbox, was over before. */
  late(call: Call, cause?: unknown): void {
    const message = "the answer came after the run that had asked was over";
    const error = new Error(message, cause === undefined ? {} : { cause });
    this.fault(call.name, "call", error);
  }

  #tell(event: CallEvent): void {
    const failed = (error: unknown): void => this.fault(event.name, "observe", error);
    try {
      hearFailure(this.observe?.(event), failed);
    } catch (error) {
      failed(error);
    }
  }
}
