// The guest's calls of functions of the host, on the inside of a wall: what is too large goes no further, and what the host holds for the
// guest is charged to it.

import { encodeMarshal } from "../interpreter/marshal/encode.ts";
import type { HostMemory } from "../kernel/host-memory.ts";
import { fail } from "../kernel/kernel-error.ts";
import type { CallPower } from "../kernel/powers.ts";
import { operation } from "./calls/call-frames.ts";
import type { SandboxPlan } from "./plan.ts";
import type { Supervisor } from "./supervisor.ts";

interface Asking {
  readonly waits: boolean;
  callHost(frame: Uint8Array, look: () => void): Uint8Array;
}

/** What an answer ends with: the bytes that the host holds for pending calls (u32), who was waited for (u8), and its kind (u8). */
const trailerBytes = 6;
const answerKind = { raise: 2, later: 6 } as const;

function heldBytesOf(answer: Uint8Array): number {
  const at = answer.length - trailerBytes;
  if (at < 0) throw new RangeError("an answer without its end");
  const byte = (index: number): number => answer[at + index] ?? 0;
  return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
}

/** What asks for work: with its trailer of 10 bytes, the operation second. */
function isCall(frame: Uint8Array): boolean {
  return frame[frame.length - 9] === operation.call;
}

/** What a call costs the host besides its frame, while it is under way. */
const callBytes = 1024;

function refusal(type: string, message: string): Uint8Array {
  const body = encodeMarshal(Object.freeze([type, message]), { maxBytes: 1024 });
  const frame = new Uint8Array(body.length + trailerBytes);
  frame.set(body);
  frame[frame.length - 1] = answerKind.raise;
  return frame;
}
const noMemory = refusal("MemoryError", "there is no memory left for a call of the host");
const tooLarge = refusal("ValueError", "the arguments are larger than what may cross");

export class SessionCalls implements CallPower {
  readonly #supervisor: Supervisor;
  readonly #host: Asking;
  readonly #look = (): void => this.#supervisor.lookWhileWaiting();
  #plan: SandboxPlan | undefined;
  #hostMemory: HostMemory | undefined;
  #heldBytes = 0;
  #toldToComeAgain = false;

  constructor(supervisor: Supervisor, host: Asking) {
    this.#supervisor = supervisor;
    this.#host = host;
  }

  /** Whether the last answer was that what the guest waits for comes later. */
  get toldToComeAgain(): boolean {
    return this.#toldToComeAgain;
  }

  begin(plan: SandboxPlan, hostMemory: HostMemory): void {
    if (hostMemory !== this.#hostMemory) this.#heldBytes = 0;
    this.#plan = plan;
    this.#hostMemory = hostMemory;
    this.#toldToComeAgain = false;
  }

  /** The run is over: nothing is held for it any more. */
  end(): void {
    this.#hold(0);
    this.#toldToComeAgain = false;
  }

  call(frame: Uint8Array): Uint8Array {
    const supervisor = this.#supervisor;
    const plan = this.#plan;
    if (plan?.functions !== true || !supervisor.running) return fail("ENOSYS");
    if (frame.length > plan.limits.valueBytes) return tooLarge;
    // Without room a guest can still take answers, and cancel calls: that makes room.
    if (isCall(frame) && frame.length + callBytes > (this.#hostMemory?.freeBytes ?? 0)) return noMemory;
    // Who cannot wait is metered, and asked about its limits for each slice of fuel.
    if (this.#host.waits) supervisor.lookWhileWaiting();
    else supervisor.demandNotCancelled();
    const start = supervisor.hostBegins();
    let answer: Uint8Array | undefined;
    try {
      answer = this.#host.callHost(frame, this.#look);
    } finally {
      supervisor.hostEnded(start, answer === undefined || answer[answer.length - 2] === 0);
    }
    const held = heldBytesOf(answer);
    if (held !== this.#heldBytes) this.#hold(held);
    this.#toldToComeAgain = answer[answer.length - 1] === answerKind.later;
    return answer;
  }

  #hold(bytes: number): void {
    const hostMemory = this.#hostMemory;
    if (hostMemory === undefined) return;
    hostMemory.give(this.#heldBytes);
    this.#heldBytes = Math.min(bytes, hostMemory.freeBytes);
    hostMemory.take(this.#heldBytes);
  }
}
