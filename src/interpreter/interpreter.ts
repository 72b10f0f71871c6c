// A running interpreter made from an image: restore, run, restore again. It answers with what happened and never throws for
// anything that a guest can do.
import { wholePages } from "../abi/wasm-pages.ts";
import { GuestStop, type StopReason } from "../kernel/guest-stop.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { EntropyPower } from "../kernel/powers.ts";
import { type Equipment, equipmentKey, equipRequest, imageEquipmentKey } from "./equipment.ts";
import type { Image } from "./image-file.ts";
import { Machine, type ReadRest } from "./machine.ts";
import { MarkedRestore } from "./marked-restore.ts";
import { encodeMarshal } from "./marshal/encode.ts";
import { Rehash } from "./rehash/apply.ts";
import { hashSecretBytes } from "./rehash/plan.ts";
import { call, NoAnswer, OversizedAnswer } from "./request.ts";
import { type MemoryPower, newMemory, restoreFresh, restoreGlobals, restoreInPlace } from "./snapshot.ts";
import { writeZoneNames } from "./zone-names.ts";

export type Outcome =
  /** The handler's answer in marshal format: hostile bytes. */
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  /** The answer is larger than allowed. The interpreter can go on. */
  | { readonly kind: "oversized"; readonly bytes: number }
  /** The guest was stopped, or stopped itself. Its memory must be restored before it runs again. */
  | { readonly kind: "stopped"; readonly reason: StopReason }
  /** A trap, an exhausted stack, or a broken handler. `detail` holds nothing of the host. */
  | { readonly kind: "crashed"; readonly detail: string };

interface StartOptions {
  /** For runs that must repeat. Drawn from the process's entropy unless it is given. */
  readonly hashSecret?: Uint8Array | undefined;
  /** Instead of a new one: fresh pages cost several milliseconds. */
  readonly memory?: UsedMemory | undefined;
  /** Of a split module. */
  readonly rest?: ReadRest | undefined;
}

export interface UsedMemory {
  /** Of an earlier interpreter (see `memory`), or one that was made for this. */
  readonly memory: WebAssembly.Memory;
  /** Whether it is as new, but for the snapshot's content, which it has. */
  readonly holdsSnapshot: boolean;
}

/** One that was used, and holds whatever its last user left. */
export function usedMemory(memory: WebAssembly.Memory | undefined): UsedMemory | undefined {
  return memory && { memory, holdsSnapshot: false };
}

export class Interpreter {
  readonly #machine: Machine;
  readonly #kernel: Kernel;
  readonly #image: Image;
  readonly #memory: MemoryPower;
  readonly #rehash: Rehash;
  #marked: MarkedRestore | undefined;
  /** The key of what the guest is equipped with. */
  #equipped = imageEquipmentKey;

  private constructor(machine: Machine, kernel: Kernel, image: Image, memory: MemoryPower) {
    this.#machine = machine;
    this.#kernel = kernel;
    this.#image = image;
    this.#memory = memory;
    this.#rehash = new Rehash(machine, image.rehash);
  }

  /** A pristine interpreter in a new instance of the lean module. Throws RenewalFailure. */
  static start(
    module: WebAssembly.Module,
    kernel: Kernel,
    image: Image,
    power: MemoryPower,
    { hashSecret, memory, rest }: StartOptions = {},
  ): Interpreter {
    const { hiddenGlobals, snapshot } = image;
    const machine = new Machine(module, kernel, hiddenGlobals, memory?.memory ?? newMemory(snapshot), rest);
    if (memory?.holdsSnapshot) restoreGlobals(machine, snapshot);
    else if (memory) restoreInPlace(machine, snapshot, power);
    else restoreFresh(machine, snapshot, power);
    const interpreter = new Interpreter(machine, kernel, image, power);
    interpreter.#renew(hashSecret);
    return interpreter;
  }

  /**
   * Linear memory that the guest has taken into use, in bytes: from what it has asked the kernel for up to what it was given. In between its
   * allocator's word is taken for it.
   */
  get memoryBytes(): number {
    const { memoryBytes, breakAddress } = this.#image.snapshot;
    const { guest } = this.#machine;
    const least = Math.max(memoryBytes, this.#kernel.process.askedMemoryBytes);
    return Math.min(guest.size, Math.max(least, wholePages(guest.getU32(breakAddress))));
  }

  /** Whether the memory is larger than a pristine one's. It shrinks only with a new instance. */
  get hasGrown(): boolean {
    return this.#machine.guest.size > this.#image.snapshot.memoryBytes;
  }

  /** Back to pristine in the same instance, with the kernel's present process. Throws RenewalFailure. */
  reset(hashSecret?: Uint8Array): void {
    const { snapshot, rehash } = this.#image;
    if (this.#machine.guest.notesHold) {
      this.#marked ??= new MarkedRestore(snapshot, this.#memory, rehash.movedPages);
      this.#marked.restore(this.#machine);
    } else {
      restoreInPlace(this.#machine, snapshot, this.#memory);
      this.#machine.guest.believeNotes();
    }
    this.#renew(hashSecret);
  }

  /** For another interpreter of the same image, in place of this one, of which nothing may be asked any more; undefined when it has grown. */
  get memory(): WebAssembly.Memory | undefined {
    return this.hasGrown ? undefined : this.#machine.memory;
  }

  /** Sends one request to the guest's handler. */
  request(request: Uint8Array, maxAnswerBytes: number): Outcome {
    try {
      return {
        kind: "answer",
        bytes: call(this.#machine, this.#image.snapshot.handler, request, maxAnswerBytes),
      };
    } catch (error) {
      return outcomeOf(error, this.#kernel.stopped);
    }
  }

  /**
   * Gives a pristine interpreter what was chosen for it, where that is not what it has from the image. Throws RenewalFailure.
   */
  equip(equipment: Equipment): void {
    const { timeZone } = this.#kernel.process;
    const equipped = equipmentKey(equipment, timeZone);
    if (equipped === this.#equipped) return;
    writeZoneNames(this.#machine, timeZone);
    this.#demand(equipRequest(equipment, timeZone));
    this.#equipped = equipped;
  }

  /** What would be the same in every sandbox made from the image. The hashes come first: no Python runs before. */
  #renew(hashSecret?: Uint8Array): void {
    this.#rehash.apply(hashSecret ?? drawHashSecret(this.#kernel.process.entropy));
    this.#equipped = imageEquipmentKey;
    this.#demand({ action: "renew" });
  }

  #demand(request: Readonly<Record<string, unknown>>): void {
    const outcome = this.request(encodeMarshal(request, { maxBytes: 1 << 24 }), 1 << 16);
    if (outcome.kind !== "answer") throw new RenewalFailure(outcome);
  }
}

/** A pristine interpreter could not take its arguments and environment, for example for lack of memory. */
export class RenewalFailure extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(`a pristine interpreter could not be set up: ${outcome.kind}`);
    this.outcome = outcome;
  }
}

function drawHashSecret(entropy: EntropyPower): Uint8Array {
  const secret = new Uint8Array(hashSecretBytes);
  entropy.fill(secret);
  return secret;
}

function outcomeOf(error: unknown, stopped: GuestStop | undefined): Outcome {
  const stop = error instanceof GuestStop ? error : stopped;
  if (stop) return { kind: "stopped", reason: stop.reason };
  if (error instanceof OversizedAnswer) return { kind: "oversized", bytes: error.bytes };
  if (error instanceof NoAnswer) return { kind: "crashed", detail: error.detail };
  if (error instanceof RangeError) return { kind: "crashed", detail: "the engine's stack is exhausted" };
  if (error instanceof WebAssembly.RuntimeError) return { kind: "crashed", detail: `trap: ${error.message}` };
  return { kind: "crashed", detail: "an exception of the engine" };
}
