// The code section as a list of function bodies, so that a pass can look at them or replace them one by one.
// Bodies that a pass leaves alone are copied in runs, which keeps a pass over six megabytes at a few milliseconds.

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ImageFormatError } from "./image-format-error.ts";
import { instructionEnd, numberAt, opcode } from "./instruction.ts";

export interface FunctionBody {
  /** Index in the function index space: imported functions come first. */
  readonly functionIndex: number;
  /** The content of the code section; the offsets below point into it. */
  readonly bytes: Uint8Array;
  /** Where the size, which precedes the body, starts. */
  readonly entry: number;
  /** Where the declarations of local variables start. */
  readonly start: number;
  /** Just past the last instruction, which is `end`. */
  readonly end: number;
}

/** Returns local declarations and instructions of the new body (without its size), or undefined to keep the old one. */
export type BodyPass = (body: FunctionBody) => Uint8Array | undefined;

/** No locals; unreachable; end. */
export const trapBody = Uint8Array.of(0, opcode.unreachable, opcode.end);

/** The bodies of a code section, in order. `firstIndex` is the number of imported functions. */
export function* readBodies(section: Uint8Array, firstIndex: number): Generator<FunctionBody> {
  const reader = new ByteReader(section);
  const count = reader.u32("number of function bodies");
  for (let i = 0; i < count; i++) {
    const entry = reader.offset;
    const sizeBytes = reader.u32("size of a function body");
    const start = reader.offset;
    const end = start + sizeBytes;
    if (end > section.length || section[end - 1] !== opcode.end) {
      throw new ImageFormatError(`the body of function ${firstIndex + i} does not close with end`);
    }
    reader.offset = end;
    yield { functionIndex: firstIndex + i, bytes: section, entry, start, end };
  }
  if (!reader.done) throw new ImageFormatError("the code section goes on after its last function body");
}

/** Where the first instruction of a body starts, after its local variables. */
export function firstInstruction(body: FunctionBody): number {
  const reader = new ByteReader(body.bytes, body.start, body.end);
  const groups = reader.u32("number of groups of locals");
  for (let i = 0; i < groups; i++) {
    reader.u32("number of locals");
    reader.byte("type of locals");
  }
  return reader.offset;
}

interface Mention {
  /** Where the number stands in `bytes`. */
  readonly at: number;
  /** Of the function that is called or referred to. */
  readonly index: number;
}

/** The functions that a body names. */
export function mentionsOf(body: FunctionBody): readonly Mention[] {
  const { bytes, end } = body;
  const mentions: Mention[] = [];
  for (let at = firstInstruction(body); at < end - 1; at = instructionEnd(bytes, at)) {
    const code = bytes[at];
    if (code === opcode.call || code === opcode.returnCall || code === opcode.refFunc)
      mentions.push({ at: at + 1, index: numberAt(bytes, at + 1) });
  }
  return mentions;
}

/** The content of a code section in which `pass` has replaced what it chose to replace, with `added` bodies at its end. */
export function rewriteBodies(
  section: Uint8Array,
  firstIndex: number,
  pass: BodyPass,
  added: readonly Uint8Array[] = [],
): Uint8Array {
  const out = new ByteWriter(section.length + 65_536);
  const reader = new ByteReader(section);
  out.u32(reader.u32("number of function bodies") + added.length);
  let copied = reader.offset;
  for (const body of readBodies(section, firstIndex)) {
    const replacement = pass(body);
    if (replacement === undefined) continue;
    out.bytes(section.subarray(copied, body.entry));
    out.sized(replacement);
    copied = body.end;
  }
  out.bytes(section.subarray(copied));
  for (const body of added) out.sized(body);
  return out.finish();
}
