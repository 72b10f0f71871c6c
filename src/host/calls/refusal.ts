// What the guest is told instead of an answer: a built-in exception's name, or host.Name, and a message that holds nothing of the host.

import { encodeValue } from "../../interpreter/marshal/encode.ts";
import { answerKind } from "./call-frames.ts";

/** An exception for the guest, thrown in here and never outside of this folder. */
export class Refusal extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export function noRoom(name: string): Refusal {
  return new Refusal("MemoryError", `${name}(): the host can hold no more for this sandbox`);
}

/** An answer without its trailer. */
export interface Outcome {
  readonly kind: number;
  readonly body: Uint8Array;
  /** Handles that are written into the body. */
  readonly handles?: readonly number[] | undefined;
  /** Called when the guest has it, does not want it any more, or cannot be given it. */
  readonly onTaken?: (() => void) | undefined;
  /** Called before that when it was not given. */
  readonly onDrop?: (() => void) | undefined;
}

const mostCharacters = 1 << 16;
const mostBytes = 1 << 20;

export function raise(type: string, message: string): Outcome {
  const text = message.length <= mostCharacters ? message : `${message.slice(0, mostCharacters)}…`;
  return { kind: answerKind.raise, body: encodeValue([type, text], { maxBytes: mostBytes }).bytes };
}

export const none: Uint8Array = encodeValue(null, { maxBytes: 16 }).bytes;
