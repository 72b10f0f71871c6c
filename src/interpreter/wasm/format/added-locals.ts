// Locals that a pass adds to a body stand behind all others, so that no index changes.

import type { ByteWriter } from "./byte-writer.ts";
import { type FunctionBody, firstInstruction } from "./code-section.ts";
import { numberAt, numberEnd } from "./instruction.ts";

const i32 = 0x7f;

/** How many locals the body has; its parameters are the first of them. */
export function countLocals(body: FunctionBody, parameters: number): number {
  const { bytes } = body;
  const first = firstInstruction(body);
  let locals = parameters;
  for (let at = numberEnd(bytes, body.start); at < first; at = numberEnd(bytes, at) + 1)
    locals += numberAt(bytes, at);
  return locals;
}

/** Writes the declarations of the body's locals and of `added` more, of type i32. */
export function declareLocals(body: FunctionBody, added: number, out: ByteWriter): void {
  const { bytes, start } = body;
  out.u32(numberAt(bytes, start) + 1);
  out.bytes(bytes.subarray(numberEnd(bytes, start), firstInstruction(body)));
  out.u32(added);
  out.byte(i32);
}
