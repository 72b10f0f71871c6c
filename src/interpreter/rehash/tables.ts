// Reads CPython's hash tables as CPython does: every entry must be found by the real sequence of probes, or the table is not
// what it is taken for.
import {
  chainEntry,
  chainTable,
  deletedSlot,
  emptySlot,
  generalEntry,
  generalKind,
  keys as keysLayout,
  orderedDict,
  orderedNode,
  perturbShift,
  set as setLayout,
  setLinearProbes,
  unicodeEntry,
} from "./layout.ts";
import { inconsistent, type MemoryView, signedWord, word } from "./memory-view.ts";

/** HASHTABLE_MIN_SIZE of Python/hashtable.c, and more than any snapshot has. */
const fewestBuckets = 16;
const mostBuckets = 1 << 20;

/** A key and where its hash stands; no field where the key alone keeps it. */
export interface Entry {
  readonly key: number;
  readonly hash: number;
  readonly field: number | undefined;
}

/** The hash that a str or bytes object keeps. Throws for anything else. */
type HashOfText = (key: number) => number;

export function readKeys(memory: MemoryView, address: number, hashOfText: HashOfText): Entry[] {
  const { u8 } = memory;
  const log2Size = u8[address + keysLayout.log2Size] ?? 0;
  const indexBytes = 1 << (u8[address + keysLayout.log2IndexBytes] ?? 0);
  const general = u8[address + keysLayout.kind] === generalKind;
  const count = word(memory, address + keysLayout.entries, 0);
  const usable = word(memory, address + keysLayout.usable, 0);
  const first = address + keysLayout.indices + indexBytes;
  const step = general ? generalEntry.bytes : unicodeEntry.bytes;
  const size = 1 << log2Size;
  // USABLE_FRACTION of Objects/dictobject.c
  const most = Math.floor((2 * size) / 3);
  if (log2Size > 24 || count + usable > most || first + count * step > u8.length) {
    throw inconsistent("dict keys", address);
  }
  const slots = indices(memory, address, log2Size);
  if (slots.byteLength > indexBytes) throw inconsistent("dict keys", address);
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    const at = first + index * step;
    const key = word(memory, at + (general ? generalEntry.key : unicodeEntry.key), 0);
    if (key === 0) continue;
    const field = general ? at + generalEntry.hash : undefined;
    const hash = field === undefined ? hashOfText(key) : signedWord(memory, field, 0);
    if (!isFound(slots, hash, index)) throw inconsistent("a dict entry", at);
    entries.push({ key, hash, field });
  }
  let used = 0;
  for (const slot of slots) if (slot !== emptySlot && slot !== deletedSlot) used += 1;
  if (used !== entries.length) throw inconsistent("dict keys", address);
  return entries;
}

function indices(memory: MemoryView, address: number, log2Size: number): Int8Array | Int16Array | Int32Array {
  const start = address + keysLayout.indices;
  const size = 1 << log2Size;
  if (log2Size < 8) return memory.i8.subarray(start, start + size);
  if (log2Size < 16) return memory.i16.subarray(start >> 1, (start >> 1) + size);
  return memory.i32.subarray(start >> 2, (start >> 2) + size);
}

function isFound(slots: Int8Array | Int16Array | Int32Array, hash: number, index: number): boolean {
  const mask = slots.length - 1;
  let perturb = hash >>> 0;
  let slot = hash & mask;
  for (let tries = 0; tries < slots.length + 32; tries++) {
    if (slots[slot] === index) return true;
    if (slots[slot] === emptySlot) return false;
    perturb >>>= perturbShift;
    slot = (slot * 5 + perturb + 1) & mask;
  }
  return false;
}

interface SetTable {
  readonly entries: readonly Entry[];
  readonly tableBytes: number;
}

export function readSet(memory: MemoryView, address: number, dummy: number): SetTable {
  const mask = word(memory, address, setLayout.mask);
  const table = word(memory, address, setLayout.table);
  const tableBytes = 8 * (mask + 1);
  if ((mask & (mask + 1)) !== 0 || table + tableBytes > memory.u8.length)
    throw inconsistent("a set", address);
  const entries: Entry[] = [];
  for (let at = table; at < table + tableBytes; at += 8) {
    const key = word(memory, at, 0);
    if (key === 0 || key === dummy) continue;
    const hash = signedWord(memory, at, 1);
    if (!isReached(memory, { table, mask }, hash, at)) throw inconsistent("a set entry", at);
    entries.push({ key, hash, field: at + 4 });
  }
  if (entries.length !== word(memory, address, setLayout.used)) throw inconsistent("a set", address);
  return { entries, tableBytes };
}

function isReached(
  memory: MemoryView,
  { table, mask }: { readonly table: number; readonly mask: number },
  hash: number,
  wanted: number,
): boolean {
  let perturb = hash >>> 0;
  let start = hash & mask;
  for (let tries = 0; tries < mask + 32; tries++) {
    const end = start + setLinearProbes <= mask ? start + setLinearProbes : start;
    for (let slot = start; slot <= end; slot++) {
      if (table + 8 * slot === wanted) return true;
      if (word(memory, table + 8 * slot, 0) === 0) return false;
    }
    perturb >>>= perturbShift;
    start = (start * 5 + 1 + perturb) & mask;
  }
  return false;
}

/** Entries of an OrderedDict's list, which keeps each hash a second time. */
export function readOrder(memory: MemoryView, address: number): Entry[] {
  const entries: Entry[] = [];
  for (
    let node = word(memory, address, orderedDict.first);
    node !== 0;
    node = word(memory, node, orderedNode.next)
  ) {
    entries.push({
      key: word(memory, node, orderedNode.key),
      hash: signedWord(memory, node, orderedNode.hash),
      field: node + 4 * orderedNode.hash,
    });
  }
  return entries;
}

/** Addresses where a number of buckets may stand in a _Py_hashtable_t. */
export function chainCandidates({ u32 }: MemoryView): number[] {
  const found: number[] = [];
  for (let at = chainTable.buckets; at < u32.length; at++) {
    const buckets = u32[at] ?? 0;
    const plausible = (buckets & (buckets - 1)) === 0 && buckets >= fewestBuckets && buckets <= mostBuckets;
    if (plausible) found.push(4 * (at - chainTable.buckets));
  }
  return found;
}

/** The entries of what may be a _Py_hashtable_t; undefined where it is none or empty. */
export function readChains(memory: MemoryView, address: number): Entry[] | undefined {
  const buckets = word(memory, address, chainTable.buckets);
  const count = word(memory, address, chainTable.entries);
  const heads = word(memory, address, chainTable.heads);
  if (count === 0 || count > buckets || heads % 4 !== 0 || heads === 0) return undefined;
  if (heads + 4 * buckets > memory.u8.length) return undefined;
  const entries: Entry[] = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    for (let at = word(memory, heads, bucket); at !== 0; at = word(memory, at, chainEntry.next)) {
      const hash = signedWord(memory, at, chainEntry.hash);
      const broken = at % 4 !== 0 || (hash & (buckets - 1)) !== bucket || entries.length === count;
      if (broken) return undefined;
      entries.push({ key: word(memory, at, chainEntry.key), hash, field: at + 4 * chainEntry.hash });
    }
  }
  return entries.length === count ? entries : undefined;
}
