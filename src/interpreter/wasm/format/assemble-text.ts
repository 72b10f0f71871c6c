// Assembles a small module from WebAssembly text in folded form, so that a routine that must run at the engine's speed can be
// read as one. Knows what our routines use: functions over an imported memory, no tables, no globals, no data.
// Source of the syntax and the opcodes: WebAssembly core specification, sections 5 and 6.

import { ByteWriter } from "./byte-writer.ts";
import { exportKind } from "./export-section.ts";
import { ImageFormatError } from "./image-format-error.ts";
import { joinSections, type SectionId, type Sections, sectionId } from "./sections.ts";

type Node = string | readonly Node[];

const plain: Readonly<Record<string, readonly number[]>> = {
  return: [0x0f],
  select: [0x1b],
  "i32.eqz": [0x45],
  "i32.eq": [0x46],
  "i32.ne": [0x47],
  "i32.lt_u": [0x49],
  "i32.gt_u": [0x4b],
  "i32.le_u": [0x4d],
  "i32.ge_u": [0x4f],
  "i32.add": [0x6a],
  "i32.sub": [0x6b],
  "i32.mul": [0x6c],
  "i32.and": [0x71],
  "i32.or": [0x72],
  "i32.xor": [0x73],
  "i32.shl": [0x74],
  "i32.shr_u": [0x76],
  "v128.and": [0xfd, 0x4e],
  "v128.xor": [0xfd, 0x51],
  "i32x4.splat": [0xfd, 0x11],
  "i32x4.eq": [0xfd, 0x37],
  "i32x4.shl": [0xfd, 0xab, 0x01],
  "i32x4.shr_u": [0xfd, 0xad, 0x01],
  "i32x4.add": [0xfd, 0xae, 0x01],
  "i32x4.mul": [0xfd, 0xb5, 0x01],
  "memory.copy": [0xfc, 10, 0, 0],
  "memory.fill": [0xfc, 11, 0],
};
/** Loads and stores: opcode, then the alignment that is promised (none). */
const access: Readonly<Record<string, readonly number[]>> = {
  "i32.load": [0x28],
  "i32.load8_s": [0x2c],
  "i32.load8_u": [0x2d],
  "i32.load16_s": [0x2e],
  "i32.load16_u": [0x2f],
  "i32.store": [0x36],
  "i64.store": [0x37],
  "i32.store8": [0x3a],
  "i32.store16": [0x3b],
  "v128.load": [0xfd, 0x00],
  "v128.store": [0xfd, 0x0b],
};
const variable: Readonly<Record<string, number>> = {
  "local.get": 0x20,
  "local.set": 0x21,
  "local.tee": 0x22,
};
const valueType: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e, v128: 0x7b };
const emptyBlockType = 0x40;
const end = 0x0b;

/** `text` is a sequence of (func ...); the memory is imported as "env" "memory". */
export function assembleText(text: string): Uint8Array {
  const functions = parse(text).map(readFunction);
  const indexOf = new Map(functions.map((each, index) => [each.name, index]));
  const list = (write: (out: ByteWriter, each: TextFunction, index: number) => void): Uint8Array => {
    const out = new ByteWriter();
    out.u32(functions.length);
    functions.forEach((each, index) => {
      write(out, each, index);
    });
    return out.finish();
  };
  const memory = new ByteWriter();
  memory.u32(1);
  memory.name("env");
  memory.name("memory");
  memory.bytes([exportKind.memory, 0, 1]);
  const sections: Sections = new Map<SectionId, Uint8Array>([
    [
      sectionId.type,
      list((out, { parameters, results }) => {
        out.byte(0x60);
        out.sized(Uint8Array.from(parameters));
        out.sized(Uint8Array.from(results));
      }),
    ],
    [sectionId.import, memory.finish()],
    [sectionId.function, list((out, _each, index) => out.u32(index))],
    [
      sectionId.export,
      list((out, { name }, index) => {
        out.name(name.slice(1));
        out.byte(exportKind.function);
        out.u32(index);
      }),
    ],
    [sectionId.code, list((out, each) => out.sized(body(each, indexOf)))],
  ]);
  return joinSections(sections);
}

function parse(text: string): Node[] {
  const open: Node[][] = [[]];
  for (const [token] of text.replace(/;;.*/g, "").matchAll(/[()]|[^\s()]+/g)) {
    if (token === "(") open.push([]);
    else {
      const node = token === ")" ? open.pop() : token;
      if (node === undefined || open.length === 0) throw new ImageFormatError("a parenthesis too many");
      open.at(-1)?.push(node);
    }
  }
  if (open.length !== 1) throw new ImageFormatError("a parenthesis is not closed");
  return open[0] ?? [];
}

interface TextFunction {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  readonly localTypes: readonly number[];
  readonly locals: ReadonlyMap<string, number>;
  readonly body: readonly Node[];
}

/** (func $name (param $a i32)... (result i32)? (local $b i64)... instructions...); every function is exported. */
function readFunction(node: Node): TextFunction {
  const [keyword, name, ...rest] = node as readonly Node[];
  if (keyword !== "func" || typeof name !== "string") throw new ImageFormatError("expected (func $name ...)");
  const is = (kind: string) => (each: Node) => Array.isArray(each) && each[0] === kind;
  const typed = (kind: string, at: number): number[] =>
    rest.filter(is(kind)).map((each) => known(valueType, String(each[at])));
  const named = [...rest.filter(is("param")), ...rest.filter(is("local"))];
  return {
    name,
    parameters: typed("param", 2),
    results: typed("result", 1),
    localTypes: typed("local", 2),
    locals: new Map(named.map((each, index) => [String(each[1]), index])),
    body: rest.filter((each) => !["param", "result", "local"].some((kind) => is(kind)(each))),
  };
}

function body(source: TextFunction, functions: ReadonlyMap<string, number>): Uint8Array {
  const out = new ByteWriter();
  out.u32(source.localTypes.length);
  for (const type of source.localTypes) out.bytes([1, type]);
  const labels: string[] = [];
  const emit = (node: Node): void => {
    const [name, ...operands] = node as readonly [string, ...Node[]];
    const nested = operands.filter((each) => typeof each !== "string");
    const first = String(operands[0]);
    if (name === "block" || name === "loop") {
      out.bytes([name === "block" ? 0x02 : 0x03, emptyBlockType]);
      labels.push(first);
      nested.forEach(emit);
      labels.pop();
      out.byte(end);
      return;
    }
    if (name === "if") {
      const [condition, then, otherwise] = nested as readonly (readonly Node[])[];
      emit(condition ?? []);
      out.bytes([0x04, emptyBlockType]);
      labels.push("");
      then?.slice(1).forEach(emit);
      if (otherwise) out.byte(0x05);
      otherwise?.slice(1).forEach(emit);
      labels.pop();
      out.byte(end);
      return;
    }
    nested.forEach(emit);
    if (name in plain) out.bytes(plain[name] ?? []);
    else if (name in access) {
      out.bytes([...(access[name] ?? []), 0]);
      out.u32(first.startsWith("offset=") ? Number(first.slice(7)) : 0);
    } else if (name in variable) {
      out.byte(variable[name] ?? 0);
      out.u32(known(source.locals, first));
    } else if (name === "i32.const" || name === "i64.const") {
      out.byte(name === "i32.const" ? 0x41 : 0x42);
      out.s32(Number(first) | 0);
    } else if (name === "call") {
      out.byte(0x10);
      out.u32(known(functions, first));
    } else if (name === "br" || name === "br_if") {
      if (!labels.includes(first)) throw new ImageFormatError(`there is no label ${first}`);
      out.byte(name === "br" ? 0x0c : 0x0d);
      out.u32(labels.length - 1 - labels.lastIndexOf(first));
    } else throw new ImageFormatError(`there is no instruction ${name}`);
  };
  source.body.forEach(emit);
  out.byte(end);
  return out.finish();
}

function known(table: ReadonlyMap<string, number> | Readonly<Record<string, number>>, name: string): number {
  const value = table instanceof Map ? table.get(name) : (table as Record<string, number>)[name];
  if (value === undefined) throw new ImageFormatError(`${name} is not defined`);
  return value;
}
