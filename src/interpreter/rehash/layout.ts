// Where CPython 3.14 keeps hashes on wasm32. Offsets are in words of 4 bytes unless the name says bytes. Sources: the files named
// beside each group. The survey proves every one of them on real memory before anything is written.

/** Include/object.h; the size only in variable-size objects. */
export const object = { type: 1, size: 2 } as const;

/** PyTypeObject and PyHeapTypeObject, Include/cpython/object.h. */
export const typeObject = { name: 3, flags: 21, mro: 43, cachedKeys: 110 } as const;
export const typeFlag = {
  heap: 1 << 9,
  tuple: 1 << 26,
  bytes: 1 << 27,
  unicode: 1 << 28,
  dict: 1 << 29,
  type: 1 << 31,
} as const;

/** The hash of str, bytes and tuple objects stands at one place: Include/cpython/{unicode,bytes,tuple}object.h. */
export const contentHash = 3;

/** PyASCIIObject, PyCompactUnicodeObject, PyUnicodeObject. */
export const text = { length: 2, state: 4, nonCompactText: 7, asciiBytes: 20, compactBytes: 28 } as const;
/** Bits of `state`; above the lowest byte it is not initialised. */
export const textState = { kindShift: 2, kindMask: 7, compact: 1 << 5, ascii: 1 << 6 } as const;

export const bytes = { length: 2, contentBytes: 16 } as const;
export const tuple = { length: 2, items: 4 } as const;

/** PyDictObject; PyODictObject and its nodes, Objects/odictobject.c. */
export const dict = { keys: 6 } as const;
export const orderedDict = { first: 8 } as const;
export const orderedNode = { key: 0, hash: 1, next: 2 } as const;

/** struct _dictkeysobject, Include/internal/pycore_dict.h: bytes. */
export const keys = {
  log2Size: 4,
  log2IndexBytes: 5,
  kind: 6,
  usable: 12,
  entries: 16,
  indices: 20,
} as const;
export const generalKind = 0;
/** Bytes of PyDictKeyEntry {hash, key, value} and of PyDictUnicodeEntry {key, value}. */
export const generalEntry = { bytes: 12, hash: 0, key: 4 } as const;
export const unicodeEntry = { bytes: 8, key: 0 } as const;
export const emptySlot = -1;
export const deletedSlot = -2;

export const perturbShift = 5;

/** PySetObject, Include/cpython/setobject.h; entries are {key, hash}. */
export const set = { fill: 2, used: 3, mask: 4, table: 5, hash: 6 } as const;
export const setLinearProbes = 9;

export const weakReference = { object: 2, hash: 4 } as const;
/** date, time and datetime, Include/datetime.h. */
export const dateHash = 2;
/** Objects/memoryobject.c */
export const memoryViewHash = 4;
/** Modules/_functoolsmodule.c */
export const cacheLink = { hash: 4, key: 5 } as const;

/** _Py_hashtable_t and its entries, Include/internal/pycore_hashtable.h. */
export const chainTable = { entries: 0, buckets: 1, heads: 2 } as const;
export const chainEntry = { next: 0, hash: 1, key: 2 } as const;
