// What a restored machine needs to take a hash secret of its own: addresses in the snapshot's memory, and the routine that works
// through them. Numbers and bytes only, so that it can be stored with an image and shared by threads.

/** _Py_HashSecret_t: what the hash of strings takes, then the salt that pyexpat takes. */
export const hashSecretBytes = 24;

/** In place of a text's number: a deleted entry. */
export const noText = 0xffff;

export interface RehashPlan {
  /** Address of _Py_HashSecret. */
  readonly secret: number;
  /** A WebAssembly module, see routine.ts. */
  readonly routine: Uint8Array;
  /**
   * Strings and bytes objects whose hash is computed, with their content, so that the processor reads it in one sweep instead of all
   * over the memory. In portions (portions.ts), whose items are groups of those that are equally long: how many times four, bytes of each,
   * and for each four of them their hash fields and then their content, a word of each in turn, filled up with zeros. The last four of a
   * group repeat its last text where there is none left. They are numbered in this order, from 1; number 0 is any that is empty.
   */
  readonly texts: Uint32Array;
  /** How many of them, repeated ones too. */
  readonly textCount: number;
  /**
   * Dict keys objects whose keys are texts, in portions, whose items are: its address, the number of its entries, and its keys by number,
   * two to a word, with `noText` for a deleted entry.
   */
  readonly nameTables: Uint32Array;
  /** The lists of `Program`, in its order, each behind the number of its items. */
  readonly program: Uint32Array;
  /** Bytes of the largest set table. */
  readonly scratchBytes: number;
  /** Pages that must be restored before every rehash, whether the guest has written them or not: see moved-pages.ts. */
  readonly movedPages: Uint32Array;
  /** (operation, a, b), in this order, after the program: tables with keys that only CPython can hash. */
  readonly late: Uint32Array;
}

interface Program {
  /** Hash fields that are set to "not computed yet". */
  readonly resets: readonly number[];
  /** (target, source) hash fields. */
  readonly copies: readonly number[];
  /** All other dict keys objects, and sets, none of whose keys needs CPython. */
  readonly keys: readonly number[];
  readonly sets: readonly number[];
  /** _Py_hashtable_t tables, with str objects and with C strings as keys. */
  readonly textChains: readonly number[];
  readonly cTextChains: readonly number[];
}

export const lateOperation = {
  /** The field a gets the hash of the object b. */
  hash: 0,
  /** The dict keys object a is rebuilt. */
  keys: 1,
  /** The set a is rebuilt. */
  set: 2,
  /** The field a is set to "not computed yet". */
  forget: 3,
} as const;

export function encodeProgram(program: Program): Uint32Array {
  const list = (items: readonly number[], width = 1): readonly number[] => [items.length / width, ...items];
  return Uint32Array.from([
    ...list(program.resets),
    ...list(program.copies, 2),
    ...list(program.keys),
    ...list(program.sets),
    ...list(program.textChains),
    ...list(program.cTextChains),
  ]);
}
