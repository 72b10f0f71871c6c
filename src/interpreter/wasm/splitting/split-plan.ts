// Which functions are in which part of a split module, and which of them are called from the other one.

import { ByteReader } from "../format/byte-reader.ts";
import { type FunctionBody, firstInstruction, mentionsOf, readBodies } from "../format/code-section.ts";
import { readSegments } from "../format/element-section.ts";
import { ImageFormatError } from "../format/image-format-error.ts";
import { dataDrop, instructionEnd, memoryInit, numberAt, opcode } from "../format/instruction.ts";

type Part = "first" | "rest";

/** Of the tables of a module, the one of functions. No code changes it (still-tables.ts). */
export const functionTable = 0;

export interface SplitPlan {
  isIn(part: Part, functionIndex: number): boolean;
  isOnlyIn(part: Part, functionIndex: number): boolean;
  /** All functions that are called or referred to, imported ones too. */
  readonly mentioned: ReadonlySet<number>;
  /** Functions that are reached from the other part and stand in no table yet: those of the first part, then those of the rest. */
  readonly passages: readonly number[];
  /** How many of these are of the first part. */
  readonly ofFirst: number;
  /** Where each function that is reached from the other part stands. */
  readonly placeOf: ReadonlyMap<number, Place>;
}

interface Place {
  readonly table: "functions" | "passages";
  readonly index: number;
}

interface PlannedModule {
  /** Contents of a code and an element section. */
  readonly code: Uint8Array;
  readonly elements: Uint8Array;
  readonly importedCount: number;
  readonly exported: readonly number[];
}

/** See splitModule. */
export function planSplit(
  { code, elements, importedCount, exported }: PlannedModule,
  isFirst: (functionIndex: number) => boolean,
  shared: number,
): SplitPlan {
  const parts = new Map<number, Part | "both">();
  const calls: [from: Part, to: number][] = [];
  for (const body of readBodies(code, importedCount)) {
    const { functionIndex } = body;
    const chosen = isFirst(functionIndex) ? "first" : "rest";
    const part = functionIndex >= shared ? "both" : (boundTo(body) ?? chosen);
    parts.set(functionIndex, part);
    for (const from of ["first", "rest"] as const)
      if (part === from || part === "both")
        for (const { index } of mentionsOf(body)) calls.push([from, index]);
  }
  const inTable = new Map<number, number>();
  for (const segment of readSegments(new ByteReader(elements)))
    segment.elements.forEach((index, at) => {
      calls.push(["first", index]);
      if (segment.table === functionTable) inTable.set(index, segment.first + at);
    });
  for (const index of exported) calls.push(["first", index]);
  const reached = new Set<number>();
  for (const [from, to] of calls) {
    const part = parts.get(to);
    if (part !== undefined && part !== "both" && part !== from) reached.add(to);
  }
  const ordered = [...reached].filter((index) => !inTable.has(index)).sort((a, b) => a - b);
  const ofFirst = ordered.filter((index) => parts.get(index) === "first");
  const passages = [...ofFirst, ...ordered.filter((index) => parts.get(index) === "rest")];
  return {
    isIn: (part, index) => parts.get(index) === part || parts.get(index) === "both",
    isOnlyIn: (part, index) => parts.get(index) === part,
    mentioned: new Set(calls.map(([, to]) => to)),
    passages,
    ofFirst: ofFirst.length,
    placeOf: new Map([
      ...[...inTable].map(([index, at]): [number, Place] => [index, { table: "functions", index: at }]),
      ...passages.map((index, at): [number, Place] => [index, { table: "passages", index: at }]),
    ]),
  };
}

/** All but table.get and table.set, which have numbers of their own: table.init, elem.drop, table.copy, grow, size, fill. */
const tableNumbers: readonly number[] = [12, 13, 14, 15, 16, 17];
const [tableGet, tableSet] = [0x25, 0x26];

/** Data are the rest's, and all tables but the one of functions the first part's, as are references, which have to be declared. */
function boundTo(body: FunctionBody): Part | undefined {
  const { bytes, end } = body;
  let part: Part | undefined;
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    const found = bindingOf(bytes, at);
    if (found === undefined) continue;
    if (part !== undefined && part !== found)
      throw new ImageFormatError(`function ${body.functionIndex} needs both parts of a split module`);
    part = found;
  }
  return part;
}

function bindingOf(bytes: Uint8Array, at: number): Part | undefined {
  const code = bytes[at] ?? opcode.unreachable;
  if ([tableGet, tableSet, opcode.refFunc].includes(code as never)) return "first";
  if (code === opcode.callIndirect || code === opcode.returnCallIndirect) {
    // Behind the type.
    const next = instructionEnd(bytes, at);
    return bytes[next - 1] === 0 ? undefined : "first";
  }
  if (code !== opcode.prefixMemory) return undefined;
  const number = numberAt(bytes, at + 1);
  if (number === memoryInit || number === dataDrop) return "rest";
  return tableNumbers.includes(number) ? "first" : undefined;
}
