// The guest's calls of functions of the host, on the inside of a wall: what is too large goes no further, and what the host holds for the
// guest is charged to it.

import { encodeMarshal } from "../interpreter/marshal/encode.ts";
import type { HostMemory } from "../kernel/host-memory.ts";
import { fail } from "../kernel/kernel-error.ts";
import type { CallPower } from "../kernel/powers.ts";
import {
  answerFrame,
  answerKind,
  heldBytesOf,
  kindOf,
  lastingBytesOf,
  operation,
  operationOf,
  waitedFor,
  waitedForOf,
} from "./calls/call-frames.ts";
import type { SandboxPlan } from "./plan.ts";
import type { Supervisor } from "./supervisor.ts";

interface Asking {
  readonly waits: boolean;
  callHost(frame: Uint8Array, look: () => void): Uint8Array;
}

/** What a call costs the host besides its frame, while it is under way. */
const callBytes = 1024;

function refusal(type: string, message: string): Uint8Array {
  const body = encodeMarshal(Object.freeze([type, message]), { maxBytes: 1024 });
  return answerFrame(body, answerKind.raise, 0, 0);
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
  /** Of it, what stays when the run is over: what the guest was given to keep. */
  #lastingBytes = 0;
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
    if (hostMemory !== this.#hostMemory) this.#heldBytes = this.#lastingBytes = 0;
    this.#plan = plan;
    this.#hostMemory = hostMemory;
    this.#toldToComeAgain = false;
  }

  /** The run is over: what is held for it alone is not held any more. */
  end(): void {
    this.#hold(this.#lastingBytes);
    this.#toldToComeAgain = false;
  }

  call(frame: Uint8Array): Uint8Array {
    const supervisor = this.#supervisor;
    const plan = this.#plan;
    if (plan?.functions !== true || !supervisor.running) return fail("ENOSYS");
    if (frame.length > plan.limits.valueBytes) return tooLarge;
    const asked = operationOf(frame);
    // Without room a guest can still take answers, and cancel calls: that makes room.
    if (asked === operation.call && frame.length + callBytes > (this.#hostMemory?.freeBytes ?? 0))
      return noMemory;
    // Who cannot wait is metered, and asked about its limits for each slice of fuel.
    if (this.#host.waits) supervisor.lookWhileWaiting();
    else supervisor.demandNotCancelled();
    // How often a guest waits for one, and lets go of another, is no call of its own, and not the same behind every wall.
    const start = supervisor.hostBegins(asked === operation.call || asked === operation.next);
    let answer: Uint8Array | undefined;
    try {
      answer = this.#host.callHost(frame, this.#look);
    } finally {
      supervisor.hostEnded(start, answer === undefined || waitedForOf(answer) === waitedFor.host);
    }
    const held = heldBytesOf(answer);
    if (held !== this.#heldBytes) this.#hold(held);
    this.#lastingBytes = lastingBytesOf(answer);
    this.#toldToComeAgain = kindOf(answer) === answerKind.later;
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
