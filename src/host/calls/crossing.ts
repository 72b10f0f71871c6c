// Values of calls on their way: what the guest passes back or lends becomes the host's, and what an answer lends becomes the guest's.
// Invariant: a handle that was made for an answer which was not sent is gone again.

import { isMadeHere } from "../../capabilities/functions/around-function.ts";
import { isStream } from "../../capabilities/functions/each-item.ts";
import { decodeValue, MarshalFormatError } from "../../interpreter/marshal/decode.ts";
import { encodeValue } from "../../interpreter/marshal/encode.ts";
import { Call, type CallHost } from "./call.ts";
import { answerKind } from "./call-frames.ts";
import type { FunctionTarget, ValueCrossing } from "./function-target.ts";
import type { LentThings } from "./lent-things.ts";
import { type Outcome, Refusal } from "./refusal.ts";
import { shortArguments } from "./short-arguments.ts";
import { isIterable, StreamTarget } from "./stream-target.ts";
import type { Capability, Target } from "./target.ts";
import type { TargetTable } from "./target-table.ts";

const mostItems = 2 ** 21;
const lastNumber = 0xffff_ffff;

/** What an answer that streams is encoded as. */
class StreamAnswer {
  readonly iterable: object;
  constructor(iterable: object) {
    this.iterable = iterable;
  }
}

export class Crossing {
  readonly values: ValueCrossing;
  readonly #host: CallHost;
  targets: TargetTable | undefined;
  lent: LentThings | undefined;
  /** Is told of handles in an answer that was not sent. */
  lose: (handles: readonly number[]) => void = () => {};
  /** What the guest passed back of the embedder's own, in the value that was decoded last. */
  readonly passedBack = new Set<unknown>();
  /**
   * What has ever been passed back -> the capability that it stands behind: in an answer it is that again. A copy of it would tell the guest
   * what it was not granted.
   */
  #behind: WeakMap<object, Capability> | undefined;
  /** Whose values are decoded or encoded at the moment. */
  #target: FunctionTarget | undefined;
  #call: Call | undefined;
  #handles: number[] | undefined;

  constructor(maxBytes: number, host: CallHost) {
    this.#host = host;
    this.values = {
      maxBytes,
      maxItems: mostItems,
      nowMs: () => host.nowMs(),
      lend: (value) => this.#lend(value),
      borrow: (fields) => this.#borrow(fields),
    };
  }

  /** Throws Refusal or MarshalFormatError. The bytes are read now. */
  decodeArguments(target: FunctionTarget, body: Uint8Array, records: boolean, call: Call): unknown {
    return (records ? undefined : shortArguments(body)) ?? this.decode(target, body, records, call);
  }

  /** The same, for any value. */
  decode(target: FunctionTarget, body: Uint8Array, records: boolean, call: Call | undefined): unknown {
    this.#target = target;
    this.#call = call;
    this.passedBack.clear();
    try {
      return decodeValue(body, target.decoding(records));
    } catch (error) {
      if (error instanceof Refusal || error instanceof MarshalFormatError) throw error;
      throw new Refusal(
        "TypeError",
        `${target.name}(): ${error instanceof Error ? error.message : "a value is refused"}`,
      );
    }
  }

  /** Throws Refusal, or what is wrong with the answer. */
  encode(target: FunctionTarget, value: unknown, call: Call | undefined): Outcome {
    // A getter of the answer may call what the guest has lent, with arguments that are encoded in the middle of this.
    const outer = { target: this.#target, call: this.#call, handles: this.#handles };
    this.#target = target;
    this.#call = call;
    this.#handles = undefined;
    try {
      const { bytes, records } = encodeValue(value, target.encoding);
      target.countBytes(bytes.length);
      return { kind: records ? answerKind.records : answerKind.plain, body: bytes, handles: this.#handles };
    } catch (error) {
      if (this.#handles) this.lose(this.#handles);
      throw error;
    } finally {
      this.#target = outer.target;
      this.#call = outer.call;
      this.#handles = outer.handles;
    }
  }

  /** For a function that streams. Throws TypeError for what cannot be gone through. */
  encodeStream(target: FunctionTarget, value: unknown, call: Call): Outcome {
    if (!isIterable(value))
      throw new TypeError("the answer of a function that streams is neither iterable nor async iterable");
    return this.encode(target, new StreamAnswer(value), call);
  }

  #lend(value: object): readonly unknown[] | undefined {
    const id = this.lent?.idOf(value);
    if (id !== undefined) return ["lent", id];
    const capability = this.#behind?.get(value);
    if (capability !== undefined) return this.#lendCapability(capability);
    if (typeof value === "function") return undefined;
    if (value instanceof StreamAnswer) return this.#lendStream(value.iterable);
    if (isMadeHere(value)) return this.#lendCapability(value);
    return isStream(value) ? this.#lendStream(value) : undefined;
  }

  #lendCapability(capability: Capability): readonly unknown[] {
    const { number, fields } = (this.targets as TargetTable).handleOf(capability, this.#target?.name ?? "");
    this.#handles ??= [];
    this.#handles.push(number);
    return fields;
  }

  #lendStream(iterable: object): readonly unknown[] {
    const target = this.#target as FunctionTarget;
    // A callback is given streams by no call of its own.
    const call = this.#call ?? new Call(target.name, 0, this.#host);
    const stream = (this.targets as TargetTable).addStream(
      iterable,
      target.name,
      (number) => new StreamTarget(number, iterable, target, call),
    );
    this.#handles ??= [];
    this.#handles.push(stream.number);
    return ["host", stream.number, ["stream", stream.annotation, stream.number]];
  }

  #borrow(fields: readonly unknown[]): unknown {
    const [name, number, kind] = fields;
    if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > lastNumber)
      return undefined;
    if (name === "host" && fields.length === 2) {
      const target = this.targets?.get(number);
      if (target === undefined)
        throw new Refusal("ReferenceError", "the host has taken this back, or it was released");
      const own = ownOf(target);
      this.passedBack.add(own);
      if (target.kind !== "stream" && typeof own === "object" && own !== null) {
        this.#behind ??= new WeakMap();
        this.#behind.set(own, target.capability);
      }
      return own;
    }
    if (name !== "lent" || fields.length !== 3 || (kind !== "call" && kind !== "iterate")) return undefined;
    return this.lent?.borrow(number, kind, this.#target as FunctionTarget, this.#call);
  }
}

function ownOf(target: Target): unknown {
  if (target.kind === "stream") return target.original;
  return target.kind === "object" ? target.capability.target : target.capability;
}
