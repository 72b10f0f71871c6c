// A pristine machine as data: the non-zero pages of its memory, its globals, and where the runner lives. Restoring it is
// copying; everything else of a machine's state (table, host objects) is fixed by the module or belongs to the kernel.
import { wasmPageBytes, wholePages } from "../abi/wasm-pages.ts";
import { ImageError } from "../errors/image-error.ts";
import type { Machine } from "./machine.ts";
import { cardBytes, cardsEnd, cardTable } from "./wasm/marking/card-table.ts";

const pageBytes = 4096;
/** Of a 32-bit memory; the limit that a guest has stands in emscripten_resize_heap. */
const mostWasmPages = 65_536;

/**
 * Room for small programs: one that does not make the memory grow can be restored in place, which saves eight milliseconds. Each MiB costs a
 * reset that copies some 0.04 ms. Importing five or six more modules takes two to three.
 */
const roomBytes = 4 * 2 ** 20;
/** What the processor's cache still holds when it is copied. */
const freshPieceBytes = 2 ** 20;
/** Of the gaps that were freed between allocations that live on. */
const largestPieceBytes = 2 ** 16;

interface MemoryLayout {
  readonly memoryBytes: number;
  /** See Snapshot. */
  readonly breakAddress: number;
}

/**
 * Gives the allocator some room and fixes where a machine's memory ends, before it is captured: behind the room, with a table of
 * cards at its end. The addresses from there on at which notes are made once the memory has grown are taken from the allocator
 * (Emscripten's sbrk), which thus never uses them.
 */
export function layOutMemory(machine: Machine): MemoryLayout {
  const { python } = machine;
  clearFreed(machine, python.malloc(roomBytes) >>> 0);
  const end = python.sbrk(0) >>> 0;
  let memoryBytes = wholePages(end);
  while (cardTable(memoryBytes).pages * cardBytes < end) memoryBytes += wasmPageBytes;
  const breakAddress = findBreak(machine, () => python.sbrk(cardsEnd(memoryBytes) - end) >>> 0 === end);
  return { memoryBytes, breakAddress };
}

/** The word that follows when the break moves. */
function findBreak({ guest, python }: Machine, move: () => boolean): number {
  const before = python.sbrk(0);
  const wordsBefore = new Int32Array(guest.bytes.slice().buffer);
  if (!move()) throw new ImageError("IMAGE_BUILD_FAILED", "no room for a table of cards");
  const after = python.sbrk(0);
  const found = [...wordsBefore.keys()].filter(
    (word) => wordsBefore[word] === before && guest.getI32(4 * word) === after,
  );
  const [word] = found;
  if (word === undefined || found.length > 1)
    throw new ImageError("IMAGE_BUILD_FAILED", "where the allocator keeps its break is not clear");
  return 4 * word;
}

/** What was freed is no state of the interpreter, but would be a part of every sandbox. `room` is the youngest allocation. */
function clearFreed({ guest, python }: Machine, room: number): void {
  const pieces: [address: number, bytes: number][] = [[room, roomBytes]];
  for (let bytes = largestPieceBytes; bytes >= pageBytes; bytes /= 2) {
    let address = python.malloc(bytes) >>> 0;
    for (; address !== 0 && address < room; address = python.malloc(bytes) >>> 0)
      pieces.push([address, bytes]);
    // No gap is that large any more.
    python.free(address);
  }
  for (const [address, bytes] of pieces) {
    guest.bytes.fill(0, address, address + bytes);
    // The allocator keeps what it is given back.
    python.free(address);
  }
}

export interface Snapshot {
  /** Bytes of linear memory that a machine needs to hold it. */
  readonly memoryBytes: number;
  /** Of the word in which sbrk keeps the end of the guest's heap. */
  readonly breakAddress: number;
  readonly stackPointer: number;
  /** Values of the rewriter's hidden globals, in its order. */
  readonly hiddenGlobals: readonly number[];
  /** Address of the guest's request handler, a Python function object. */
  readonly handler: number;
  /** (start, length) pairs in bytes, ascending; their content stands one after the other in `content`. */
  readonly runs: Uint32Array;
  readonly content: Uint8Array;
}

export function capture(machine: Machine, handler: number, layout: MemoryLayout): Snapshot {
  const { memoryBytes } = layout;
  demandPristineTable(machine);
  const memory = machine.guest.bytes;
  const runs: number[] = [];
  const words = new BigUint64Array(memory.buffer);
  let open = -1;
  for (let page = 0; page <= memory.length; page += pageBytes) {
    const used = page < memory.length && hasContent(words, page / 8);
    if (used && open < 0) open = page;
    if (!used && open >= 0) {
      runs.push(open, page - open);
      open = -1;
    }
  }
  const table = Uint32Array.from(runs);
  const content = new Uint8Array(lengthOf(table));
  eachRun(table, (start, length, at) => content.set(memory.subarray(start, start + length), at));
  const lastUsed = runs.length > 0 ? (runs.at(-2) ?? 0) + (runs.at(-1) ?? 0) : 0;
  if (lastUsed > cardTable(memoryBytes).pages * cardBytes)
    throw new ImageError("IMAGE_BUILD_FAILED", "a snapshot's content reaches into the table of cards");
  return {
    ...layout,
    stackPointer: machine.python.__stack_pointer.value,
    hiddenGlobals: machine.hidden.map((global) => global.value),
    handler,
    runs: table,
    content,
  };
}

function hasContent(words: BigUint64Array, first: number): boolean {
  for (let i = first; i < first + pageBytes / 8; i++) if (words[i] !== 0n) return true;
  return false;
}

function lengthOf(runs: Uint32Array): number {
  let total = 0;
  eachRun(runs, (_start, length) => {
    total += length;
  });
  return total;
}

export function eachRun(runs: Uint32Array, visit: (start: number, length: number, at: number) => void): void {
  let at = 0;
  for (let i = 0; i + 1 < runs.length; i += 2) {
    const start = runs[i] ?? 0;
    const length = runs[i + 1] ?? 0;
    visit(start, length, at);
    at += length;
  }
}

/** What the platform does faster than the language. */
export interface MemoryPower {
  /** Copies all of `source`, which may be shared memory, to the beginning of `target`. */
  copy(target: Uint8Array, source: Uint8Array): void;
  /** Makes all of `gap` zero. Writing to pages that are zero already would only make them resident. */
  clear(gap: Uint8Array): void;
}

/** For image time, when nothing is in a hurry. */
export const plainMemory: MemoryPower = {
  copy: (target, source) => target.set(source),
  clear: (gap) => gap.fill(0),
};

/** A memory for a machine that is to be restored. */
export function newMemory({ memoryBytes }: Pick<Snapshot, "memoryBytes">): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: memoryBytes / wasmPageBytes, maximum: mostWasmPages });
}

/**
 * Fills a fresh machine, whose memory is still all zero. The system gives out each page when it is first written, and a memcpy that is
 * interrupted for that goes on slowly: with each page written before, 2.8 instead of 3.4 ms, native code 2.7.
 */
export function restoreFresh(machine: Machine, snapshot: Snapshot, power: MemoryPower): void {
  const memory = machine.guest.bytes;
  eachRun(snapshot.runs, (start, length, at) => {
    for (let from = 0; from < length; from += freshPieceBytes) {
      const to = Math.min(from + freshPieceBytes, length);
      for (let page = start + from; page < start + to; page += pageBytes) memory[page] = 1;
      power.copy(memory.subarray(start + from, start + to), snapshot.content.subarray(at + from, at + to));
    }
  });
  restoreGlobals(machine, snapshot);
}

/**
 * Brings a used machine back: the snapshot's pages are copied and everything between and after them is zeroed, up to the
 * memory's real size, since what the guest says about its own use cannot be trusted.
 */
export function restoreInPlace(machine: Machine, snapshot: Snapshot, power: MemoryPower): void {
  const memory = machine.guest.bytes;
  let end = 0;
  eachRun(snapshot.runs, (start, length, at) => {
    power.clear(memory.subarray(end, start));
    power.copy(memory.subarray(start, start + length), snapshot.content.subarray(at, at + length));
    end = start + length;
  });
  power.clear(memory.subarray(end));
  restoreGlobals(machine, snapshot);
}

/** The kernel empties the places that it added for a guest before a machine is restored. */
function demandPristineTable(machine: Machine): void {
  const { table, pristineTableLength } = machine;
  for (let index = pristineTableLength; index < table.length; index++) {
    if (table.get(index) !== null)
      throw new ImageError("IMAGE_BUILD_FAILED", "the function table holds more than the image put there");
  }
}

export function restoreGlobals(machine: Machine, snapshot: Snapshot): void {
  if (machine.hidden.length !== snapshot.hiddenGlobals.length) {
    throw new ImageError("IMAGE_BUILD_FAILED", "the snapshot was taken from another form of the module");
  }
  demandPristineTable(machine);
  machine.python.__stack_pointer.value = snapshot.stackPointer;
  machine.hidden.forEach((global, index) => {
    global.value = snapshot.hiddenGlobals[index] ?? 0;
  });
}
