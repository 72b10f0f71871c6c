// Everything that the guest can name by a number: granted functions come first, then methods and attributes of objects, then what answers
// lent it. Invariant: a number is given out once; what was released, never was, or stands in an answer that the guest has
// not got yet, is nobody's.
import type {
  FunctionCapability,
  ObjectCapability,
} from "../../capabilities/functions/function-capability.ts";
import { describeFunction, describeObject } from "./descriptions.ts";
import { FunctionTarget, type FunctionUse, unused, type ValueCrossing } from "./function-target.ts";
import { noRoom, Refusal } from "./refusal.ts";
import type { StreamTarget } from "./stream-target.ts";
import type { Capability, ObjectTarget, Target } from "./target.ts";

/** Handles and streams that may be alive at once. */
const mostHandles = 1000;
/** Of host memory, for each function, object and stream, each method and each attribute that an answer lends. */
const targetBytes = 1024;
const lastNumber = 0xffff_ffff;

export class TargetTable {
  readonly #crossing: ValueCrossing;
  readonly #hasRoom: (bytes: number) => boolean;
  readonly #targets = new Map<number, Target>();
  /** With their full names. */
  readonly #granted: (readonly [string, Target])[] = [];
  #next = 0;
  /** Alive: capability or iterable -> its handle. */
  readonly #handles = new Map<object, number>();
  /** Made for answers that the guest has not got yet, which it cannot know of. */
  readonly #fresh = new Map<number, Target>();
  /** Written into answers that the guest has not got yet. */
  readonly #underway = new Map<number, number>();
  /** Limits are those of a capability, however often the guest lets its handle go. */
  readonly #uses = new WeakMap<FunctionCapability, FunctionUse>();
  #heldBytes = 0;
  #streamBytes = 0;

  /** `hasRoom`: whether so much more may be held for the guest. */
  constructor(
    grants: ReadonlyMap<string, Capability>,
    crossing: ValueCrossing,
    hasRoom: (bytes: number) => boolean,
  ) {
    this.#crossing = crossing;
    this.#hasRoom = hasRoom;
    for (const [name, capability] of grants) {
      if (capability.kind === "function")
        this.#granted.push([name, this.#function(name, capability, unused())]);
    }
    for (const [name, capability] of grants) {
      if (capability.kind === "object") this.#granted.push([name, this.#object(name, capability, unused)]);
    }
    for (const [, target] of this.#granted) this.#admit(target);
  }

  get granted(): readonly (readonly [string, Target])[] {
    return this.#granted;
  }

  /** Of host memory, for what answers have lent. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The same, without streams, which end with their run. */
  get lastingBytes(): number {
    return this.#heldBytes - this.#streamBytes;
  }

  get(number: number): Target | undefined {
    return this.#targets.get(number);
  }

  /** Throws Refusal for what is no function, or is none any more. */
  function(number: number): FunctionTarget {
    const target = this.#targets.get(number);
    if (target?.kind !== "function") throw gone();
    return target;
  }

  stream(number: number): StreamTarget {
    const target = this.#targets.get(number);
    if (target?.kind !== "stream") throw gone();
    return target;
  }

  streams(): StreamTarget[] {
    return [...this.#targets.values(), ...this.#fresh.values()].filter((target) => target.kind === "stream");
  }

  /** The fields of a record that stands for `capability` in an answer of `producer`. Throws Refusal. */
  handleOf(capability: Capability, producer: string): { number: number; fields: readonly unknown[] } {
    const existing = this.#handles.get(capability);
    const target = existing === undefined ? this.#handle(capability, producer) : this.#known(existing);
    if (target?.kind === "function")
      return { number: target.number, fields: ["host", target.number, describeFunction("result", target)] };
    if (target?.kind !== "object") throw gone();
    return { number: target.number, fields: ["host", target.number, describeObject(target)] };
  }

  /** Throws Refusal. */
  addStream(original: object, producer: string, make: (number: number) => StreamTarget): StreamTarget {
    const existing = this.#known(this.#handles.get(original) ?? -1);
    if (existing?.kind === "stream") return existing;
    this.#demandRoom(producer, targetBytes);
    const stream = make(this.#number());
    this.#heldBytes += targetBytes;
    this.#streamBytes += targetBytes;
    this.#fresh.set(stream.number, stream);
    this.#handles.set(original, stream.number);
    return stream;
  }

  /** The guest gets an answer with these. */
  give(numbers: readonly number[]): void {
    for (const number of numbers) {
      const target = this.#fresh.get(number);
      if (target === undefined) continue;
      this.#fresh.delete(number);
      this.#admit(target);
    }
  }

  /** An answer with these is lost. Gives what was made for it, and is gone. */
  lose(numbers: readonly number[]): Target[] {
    return numbers.flatMap((number) => {
      const isLost = this.#fresh.has(number) && !this.#underway.has(number);
      return isLost ? (this.release(number, true) ?? []) : [];
    });
  }

  /** Each time that a number is written into an answer that is kept. */
  keep(numbers: readonly number[]): void {
    for (const number of numbers) this.#underway.set(number, (this.#underway.get(number) ?? 0) + 1);
  }

  /** That answer was taken, or is lost. */
  unkeep(numbers: readonly number[]): void {
    for (const number of numbers) {
      const left = (this.#underway.get(number) ?? 0) - 1;
      if (left > 0) this.#underway.set(number, left);
      else this.#underway.delete(number);
    }
  }

  /** Gives what was released, which may have to be closed. What is under way to the guest once more stays, unless it is over. */
  release(number: number, isOver = false): Target | undefined {
    const target = isOver ? this.#known(number) : this.#targets.get(number);
    if (target === undefined) return undefined;
    if (this.#underway.has(number) && !isOver) return undefined;
    const key = target.kind === "stream" ? target.original : target.capability;
    // What was granted is no handle, and methods of an object go with it.
    if (this.#handles.get(key) !== number) return undefined;
    this.#handles.delete(key);
    this.#fresh.delete(number);
    this.#targets.delete(number);
    if (target.kind === "stream") this.#streamBytes -= targetBytes;
    this.#heldBytes -=
      target.kind === "object" ? costOf(target.methods.length, target.attributes.length) : targetBytes;
    if (target.kind === "object")
      for (const part of [...target.methods, ...target.attributes]) this.#targets.delete(part.number);
    return target;
  }

  clear(): void {
    this.#targets.clear();
    this.#fresh.clear();
    this.#handles.clear();
    this.#granted.length = 0;
    this.#heldBytes = this.#streamBytes = 0;
  }

  #handle(capability: Capability, producer: string): Target {
    const use = (one: FunctionCapability): FunctionUse => {
      const found = this.#uses.get(one) ?? unused();
      this.#uses.set(one, found);
      return found;
    };
    const bytes =
      capability.kind === "object"
        ? costOf(capability.methods.size, capability.attributes.size)
        : targetBytes;
    this.#demandRoom(producer, bytes);
    const target =
      capability.kind === "function"
        ? this.#function(`${producer}.result`, capability, use(capability))
        : this.#object(capability.name, capability, use);
    this.#heldBytes += bytes;
    this.#handles.set(capability, target.number);
    this.#fresh.set(target.number, target);
    return target;
  }

  #known(number: number): Target | undefined {
    return this.#targets.get(number) ?? this.#fresh.get(number);
  }

  #admit(target: Target): void {
    this.#targets.set(target.number, target);
    if (target.kind === "object")
      for (const part of [...target.methods, ...target.attributes]) this.#targets.set(part.number, part);
  }

  /** For another handle: before anything of it is made. */
  #demandRoom(producer: string, bytes: number): void {
    if (this.#handles.size >= mostHandles) throw tooMany();
    if (!this.#hasRoom(bytes)) throw noRoom(producer);
  }

  #number(): number {
    if (this.#next >= lastNumber) throw tooMany();
    this.#next += 1;
    return this.#next - 1;
  }

  #function(name: string, capability: FunctionCapability, use: FunctionUse): FunctionTarget {
    return new FunctionTarget(name, this.#number(), capability, use, this.#crossing);
  }

  #object(
    name: string,
    capability: ObjectCapability,
    use: (of: FunctionCapability) => FunctionUse,
  ): ObjectTarget {
    const number = this.#number();
    const parts = (functions: ReadonlyMap<string, FunctionCapability>): FunctionTarget[] =>
      [...functions].map(([part, one]) => this.#function(`${name}.${part}`, one, use(one)));
    return {
      kind: "object",
      number,
      capability,
      methods: parts(capability.methods),
      attributes: parts(capability.attributes),
    };
  }
}

/** Of an object with so many. */
function costOf(methods: number, attributes: number): number {
  return (1 + methods + attributes) * targetBytes;
}

function gone(): Refusal {
  return new Refusal("ReferenceError", "the host has taken this back, or it was released");
}

function tooMany(): Refusal {
  return new Refusal("RuntimeError", `more than ${mostHandles} functions, objects and streams are alive`);
}
