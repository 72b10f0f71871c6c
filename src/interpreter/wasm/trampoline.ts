// CPython calls C methods through casts of the wrong arity, which `call_indirect` refuses; its trampoline therefore asks
// JavaScript, more than a million times a second. This builds a body for the trampoline that stays inside the module.
// Source of the semantics: CPython 3.14, Python/emscripten_trampoline.c, function _PyEM_TrampolineCall.

import { ByteWriter } from "./format/byte-writer.ts";
import { type FunctionBody, firstInstruction } from "./format/code-section.ts";
import { type FunctionTypes, type I32Arity, i32Arity, i32Signature } from "./format/function-types.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import { instructionEnd, numberAt, opcode } from "./format/instruction.ts";

export const trampolineImport = { module: "env", name: "_PyEM_TrampolineCall_JS" } as const;

/** (function, self, arguments, keywords) -> object; the first is an index of the function table. */
export const trampolineSignature = i32Signature(4, true);

const passedArguments = 3;
const emptyBlockType = 0x40;
/** What V8 accepts in one br_table (kV8MaxWasmFunctionBrTableSize). */
const maximumTableEntries = 65_520;

/** Whether the body passes its own four parameters, in order, to `callee`. */
export function forwardsParameters(body: FunctionBody, callee: number): boolean {
  const { bytes, end } = body;
  let parametersInOrder = 0;
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    const operand = numberAt(bytes, at + 1);
    if (bytes[at] === opcode.call && operand === callee) return parametersInOrder === 4;
    if (bytes[at] === opcode.localGet && operand === parametersInOrder) parametersInOrder += 1;
    else parametersInOrder = bytes[at] === opcode.localGet && operand === 0 ? 1 : 0;
  }
  return false;
}

const keywordsArity: I32Arity = { parameters: passedArguments, returns: true };
const defaultClass = 0;

/**
 * The body of a trampoline over the functions whose signatures `tableSignatures` gives by table index.
 * Like JavaScript it drops arguments that are too many, passes 0 for those that are missing, and returns 0 for "void".
 * Every other index (empty, out of range, filled later, or a function that takes or returns more than i32) is called as a
 * function of three arguments, which traps unless it is one.
 */
export function trampolineBody(
  tableSignatures: ReadonlyMap<number, string>,
  tableIndex: number,
  types: FunctionTypes,
): Uint8Array {
  const classes: I32Arity[] = [keywordsArity];
  const classOf = new Map<string, number>([[i32Signature(passedArguments, true), defaultClass]]);
  const classByIndex: number[] = [];
  for (const [index, signature] of tableSignatures) {
    if (index >= maximumTableEntries) {
      throw new ImageFormatError(
        `the function table has an entry ${index}; expected fewer than ${maximumTableEntries}`,
      );
    }
    let number = classOf.get(signature);
    if (number === undefined) {
      const arity = i32Arity(signature);
      number = arity === undefined ? defaultClass : classes.push(arity) - 1;
      classOf.set(signature, number);
    }
    while (classByIndex.length <= index) classByIndex.push(defaultClass);
    classByIndex[index] = number;
  }

  const out = new ByteWriter(classByIndex.length + 1024);
  out.u32(0);
  for (let i = 0; i < classes.length; i++) out.bytes([opcode.block, emptyBlockType]);
  out.bytes([opcode.localGet, 0, opcode.brTable]);
  out.u32(classByIndex.length);
  for (const number of classByIndex) out.u32(number);
  out.u32(defaultClass);
  for (const { parameters, returns } of classes) {
    out.byte(opcode.end);
    for (let i = 0; i < parameters; i++) {
      out.bytes(i < passedArguments ? [opcode.localGet, i + 1] : [opcode.i32Const, 0]);
    }
    out.bytes([opcode.localGet, 0, opcode.callIndirect]);
    out.u32(types.i32TypeIndex(parameters, returns));
    out.u32(tableIndex);
    if (!returns) out.bytes([opcode.i32Const, 0]);
    out.byte(opcode.return);
  }
  out.bytes([opcode.unreachable, opcode.end]);
  return out.finish();
}
