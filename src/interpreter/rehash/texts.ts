// Finds every str and bytes object with a cached hash. The scan goes over all of memory, because many are held by C alone; what
// it takes for an object has its type, and a hash field that is the hash of its content: 32 bits do not agree by chance.
import { bytes, contentHash, object, text, textState } from "./layout.ts";
import { inconsistent, type MemoryView, signedWord, word } from "./memory-view.ts";
import type { KnownObjects, TypeKinds } from "./types.ts";

export interface Text {
  readonly content: number;
  readonly bytes: number;
}

/** Py_HashBuffer: CPython's own opinion. */
export type HashBuffer = (content: number, bytes: number) => number;

/** Longer ones are no names and no keys; memory that only looks like a string would take long to hash. */
const longestTextBytes = 1 << 20;
const textKinds = [1, 2, 4];

/** By address of the object. */
export function findTexts(
  memory: MemoryView,
  live: readonly number[],
  search: {
    /** Where an earlier look has found texts; without it, all of memory is searched. */
    readonly places?: Iterable<number> | undefined;
    readonly known: KnownObjects;
    readonly kinds: TypeKinds;
    readonly hash: HashBuffer;
  },
): ReadonlyMap<number, Text> {
  const { known, kinds, hash, places } = search;
  const found = new Map<number, Text>();
  const visit = (
    address: number,
    read: (memory: MemoryView, address: number) => Text | undefined,
  ): boolean => {
    const cached = signedWord(memory, address, contentHash);
    if (cached === -1) return true;
    const content = read(memory, address);
    if (content === undefined || hash(content.content, content.bytes) !== cached) return false;
    found.set(address, content);
    return true;
  };
  for (const address of places ?? candidates(memory, known)) {
    visit(address, word(memory, address, object.type) === known.str ? readText : readBytes);
  }
  for (const address of live) {
    const kind = kinds.of(address);
    if (kind === "text" && !visit(address, readText)) throw inconsistent("a string", address);
    if (kind === "bytes" && !visit(address, readBytes)) throw inconsistent("a bytes object", address);
  }
  return found;
}

/** Addresses that refer to the type of str or bytes where an object does. */
function candidates({ u32 }: MemoryView, known: KnownObjects): number[] {
  const found: number[] = [];
  const last = u32.length - text.nonCompactText;
  for (let at = 0; at < last; at++) {
    const type = u32[at + object.type];
    if (type === known.str || type === known.bytes) found.push(at * 4);
  }
  return found;
}

function readText(memory: MemoryView, address: number): Text | undefined {
  const state = word(memory, address, text.state);
  const kind = (state >>> textState.kindShift) & textState.kindMask;
  const compactAscii = (state & textState.compact) !== 0 && (state & textState.ascii) !== 0;
  let content = word(memory, address, text.nonCompactText);
  if (state & textState.compact) content = address + (compactAscii ? text.asciiBytes : text.compactBytes);
  if (!textKinds.includes(kind)) return undefined;
  return within(memory, { content, bytes: word(memory, address, text.length) * kind });
}

function readBytes(memory: MemoryView, address: number): Text | undefined {
  const content = address + bytes.contentBytes;
  return within(memory, { content, bytes: word(memory, address, bytes.length) });
}

function within(memory: MemoryView, found: Text): Text | undefined {
  const fits = found.bytes <= longestTextBytes && found.content + found.bytes <= memory.u8.length;
  return fits ? found : undefined;
}
