// Gives a freshly restored machine a hash secret of its own: every cached hash and every hash table that the plan names is
// brought from the image's secret to the new one. Must come first after a restore: it trusts the memory.
import { ImageError } from "../../errors/image-error.ts";
import type { Machine } from "../machine.ts";
import { hashSecretBytes, lateOperation, type RehashPlan } from "./plan.ts";
import { portionsOf } from "./portions.ts";
import type { RoutineExports } from "./routine.ts";

export class Rehash {
  readonly #machine: Machine;
  readonly #plan: RehashPlan;
  readonly #routine: RoutineExports;
  readonly #texts: readonly Uint32Array[];
  readonly #nameTables: readonly Uint32Array[];
  readonly #largestPart: number;

  constructor(machine: Machine, plan: RehashPlan) {
    this.#machine = machine;
    this.#plan = plan;
    // A copy, since the engine compiles nothing from shared memory.
    const module = new WebAssembly.Module(plan.routine.slice());
    const { exports } = new WebAssembly.Instance(module, { env: { memory: machine.memory } });
    this.#routine = exports as unknown as RoutineExports;
    this.#texts = portionsOf(plan.texts);
    this.#nameTables = portionsOf(plan.nameTables);
    const parts = [...this.#texts, ...this.#nameTables, plan.program];
    this.#largestPart = parts.reduce((largest, part) => Math.max(largest, part.byteLength), 0);
  }

  /** Throws ImageError when CPython cannot hash a key; the machine must then be restored. */
  apply(secret: Uint8Array): void {
    if (secret.length !== hashSecretBytes) throw new RangeError(`a hash secret has ${hashSecretBytes} bytes`);
    const { program, textCount, scratchBytes } = this.#plan;
    const { guest, python } = this.#machine;
    guest.bytes.set(secret, this.#plan.secret);
    // What is needed for a moment stands where the C stack is about to grow: nothing lives below the stack pointer, and some of the
    // pages will be needed anyway.
    const top = python.__stack_pointer.value >>> 0;
    const hashesBytes = 4 * (textCount + 1);
    const hashes = (top - hashesBytes - this.#largestPart - scratchBytes) & ~7;
    const place = hashes + hashesBytes;
    const scratch = place + this.#largestPart;
    const words = new Uint32Array(guest.bytes.buffer, place, this.#largestPart / 4);
    const placed = (part: Uint32Array): number => {
      words.set(part);
      return place;
    };
    guest.setU32(hashes, 0);
    let free = hashes + 4;
    for (const part of this.#texts) free = this.#routine.texts(placed(part), free);
    for (const part of this.#nameTables) this.#routine.nameTables(placed(part), hashes);
    this.#routine.program(placed(program), scratch);
    this.#rebuildLate(scratch);
    guest.bytes.fill(0, hashes, top);
  }

  #rebuildLate(scratch: number): void {
    const { late } = this.#plan;
    const { guest } = this.#machine;
    for (let i = 0; i < late.length; i += 3) {
      const address = late[i + 1] ?? 0;
      switch (late[i]) {
        case lateOperation.hash:
          // May be the work of Python code, and may let the memory grow.
          guest.setI32(address, hashObject(this.#machine, late[i + 2] ?? 0));
          break;
        case lateOperation.forget:
          guest.setI32(address, -1);
          break;
        case lateOperation.keys:
          this.#routine.keys(address);
          break;
        default:
          this.#routine.set(address, scratch);
      }
    }
  }
}

export function hashObject(machine: Machine, object: number): number {
  const hash = machine.python.PyObject_Hash(object);
  if (hash === -1) {
    machine.python.PyErr_Clear();
    throw new ImageError("IMAGE_BUILD_FAILED", "a key of the snapshot cannot be hashed");
  }
  return hash;
}
