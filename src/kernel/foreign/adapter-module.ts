// WebAssembly that stands in the function table for a callback: it lays its parameters out in memory as libffi promises, calls
// the C function that serves all callbacks, and returns what that one stored. No JavaScript runs in between, so a callback can
// do exactly what any function of the guest can. One module per signature; an instance learns its closure from a global.
import type { ForeignSignature, Passing } from "./signature.ts";
import { returnsInMemory } from "./signature.ts";

type Bytes = readonly number[];

const i32 = 0x7f;
const i64 = 0x7e;
const f32 = 0x7d;
const f64 = 0x7c;

const op = {
  end: 0x0b,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i32Store: 0x36,
  i64Store: 0x37,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Add: 0x6a,
  i32Sub: 0x6b,
} as const;

interface Lane {
  /** Types of the parameters in which the value travels. */
  readonly types: Bytes;
  /** Opcode that stores one of them. */
  readonly store: number;
  /** Opcode that loads a result. */
  readonly load: number;
}

const lanes: Readonly<Record<Passing, Lane>> = {
  i8: { types: [i32], store: op.i32Store, load: 0x2c },
  u8: { types: [i32], store: op.i32Store, load: 0x2d },
  i16: { types: [i32], store: op.i32Store, load: 0x2e },
  u16: { types: [i32], store: op.i32Store, load: 0x2f },
  i32: { types: [i32], store: op.i32Store, load: op.i32Load },
  i64: { types: [i64], store: op.i64Store, load: 0x29 },
  f32: { types: [f32], store: 0x38, load: 0x2a },
  f64: { types: [f64], store: 0x39, load: 0x2b },
  pair: { types: [i64, i64], store: op.i64Store, load: 0 },
  memory: { types: [i32], store: op.i32Store, load: 0 },
  none: { types: [], store: 0, load: 0 },
};

const passingOrder = Object.keys(lanes) as Passing[];

/** Two signatures with the same key have the same adapter. */
export function adapterKey(signature: ForeignSignature): string {
  const letter = (passing: Passing): string =>
    String.fromCharCode("a".charCodeAt(0) + passingOrder.indexOf(passing));
  return [signature.result, ...signature.fixed].map(({ passing }) => letter(passing)).join("");
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** Only for what is not negative. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x3f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

const list = (items: readonly Bytes[]): number[] => [...unsigned(items.length), ...items.flat()];
const sized = (content: Bytes): number[] => [...unsigned(content.length), ...content];
const section = (id: number, items: readonly Bytes[]): number[] => [id, ...sized(list(items))];
const text = (name: string): number[] => sized([...name].map((letter) => letter.charCodeAt(0)));
const functionType = (parameters: Bytes, results: Bytes): number[] => [
  0x60,
  ...sized(parameters),
  ...sized(results),
];
const header: Bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const access = (opcode: number, offset: number): number[] => [opcode, 0, ...unsigned(offset)];

const pointerBytes = 4;
const resultBytes = 16;
/** Offsets in libffi's closure: 0 the table index. */
const closureCif = 4;
const closureFunction = 8;
const closureUserData = 12;

/** Imports a.memory, a.stack (mutable i32) and a.call; exports f, the callback, and c, the address of its closure. */
export function adapterModule(signature: ForeignSignature): Uint8Array<ArrayBuffer> {
  const byPointer = returnsInMemory(signature);
  const parameters: number[] = byPointer ? [i32] : [];
  const stores: number[] = [];
  let value = resultBytes;
  const pointers = resultBytes + signature.fixed.length * 16;
  const size = Math.ceil((pointers + signature.fixed.length * pointerBytes) / 16) * 16;
  const frame =
    (byPointer ? 1 : 0) + signature.fixed.reduce((sum, { passing }) => sum + lanes[passing].types.length, 0);
  for (const [index, { passing }] of signature.fixed.entries()) {
    const { types, store } = lanes[passing];
    const pointer = access(op.i32Store, pointers + index * pointerBytes);
    if (passing === "memory") {
      stores.push(op.localGet, ...unsigned(frame), op.localGet, ...unsigned(parameters.length), ...pointer);
    } else {
      types.forEach((_type, part) => {
        stores.push(op.localGet, ...unsigned(frame), op.localGet, ...unsigned(parameters.length + part));
        stores.push(...access(store, value + part * 8));
      });
      stores.push(op.localGet, ...unsigned(frame), op.localGet, ...unsigned(frame));
      stores.push(op.i32Const, ...signed(value), op.i32Add, ...pointer);
    }
    parameters.push(...types);
    value += 16;
  }
  const { types: resultTypes, load } = lanes[signature.result.passing];
  const results = byPointer ? [] : resultTypes;
  const fromClosure = (offset: number): number[] => [op.globalGet, 1, ...access(op.i32Load, offset)];
  const body = [
    ...list([[1, i32]]),
    ...[op.globalGet, 0, op.i32Const, ...signed(size), op.i32Sub],
    ...[op.localTee, ...unsigned(frame), op.globalSet, 0],
    ...[op.localGet, ...unsigned(frame), op.i64Const, 0, ...access(op.i64Store, 0)],
    ...stores,
    ...fromClosure(closureFunction),
    ...fromClosure(closureCif),
    ...(byPointer ? [op.localGet, 0] : [op.localGet, ...unsigned(frame)]),
    ...[op.localGet, ...unsigned(frame), op.i32Const, ...signed(pointers), op.i32Add],
    ...fromClosure(closureUserData),
    ...[op.call, 0],
    ...[op.localGet, ...unsigned(frame), op.i32Const, ...signed(size), op.i32Add, op.globalSet, 0],
    ...(results.length > 0 ? [op.localGet, ...unsigned(frame), ...access(load, 0)] : []),
    op.end,
  ];
  return Uint8Array.from([
    ...header,
    ...section(1, [functionType([i32, i32, i32, i32, i32], []), functionType(parameters, results)]),
    ...section(2, [
      [...text("a"), ...text("memory"), 2, 0, 0],
      [...text("a"), ...text("stack"), 3, i32, 1],
      [...text("a"), ...text("call"), 0, 0],
    ]),
    ...section(3, [[1]]),
    ...section(6, [[i32, 1, op.i32Const, 0, op.end]]),
    ...section(7, [
      [...text("f"), 0, 1],
      [...text("c"), 3, 1],
    ]),
    ...section(10, [sized(body)]),
  ]);
}

/**
 * Imports a.table; exports f(function, cif, result*, arguments**, user data), which calls the function's place in the table. Every
 * adapter calls it, since an engine keeps what imports a table alive for as long as the table (V8 11), and callbacks come and go.
 */
export function dispatchModule(): Uint8Array<ArrayBuffer> {
  const funcref = 0x70;
  const body = [
    0,
    ...[1, 2, 3, 4, 0].flatMap((parameter) => [op.localGet, parameter]),
    ...[op.callIndirect, 1, 0, op.end],
  ];
  return Uint8Array.from([
    ...header,
    ...section(1, [functionType([i32, i32, i32, i32, i32], []), functionType([i32, i32, i32, i32], [])]),
    ...section(2, [[...text("a"), ...text("table"), 1, funcref, 0, 0]]),
    ...section(3, [[0]]),
    ...section(7, [[...text("f"), 0, 0]]),
    ...section(10, [sized(body)]),
  ]);
}
