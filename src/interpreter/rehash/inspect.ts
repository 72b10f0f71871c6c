// One look at a machine at rest: every hash that the secret may have a part in, and where it stands. Strict: what a live object
// refers to must be consistent, or the image is refused.
import { ImageError } from "../../errors/image-error.ts";
import {
  cacheLink,
  contentHash,
  dateHash,
  dict,
  memoryViewHash,
  object,
  set as setLayout,
  typeFlag,
  typeObject,
  weakReference,
} from "./layout.ts";
import { inconsistent, type MemoryView, signedWord, word } from "./memory-view.ts";
import { chainCandidates, type Entry, readChains, readKeys, readOrder, readSet } from "./tables.ts";
import { findTexts, type HashBuffer, type Text } from "./texts.ts";
import { type Kind, type KnownObjects, TypeKinds } from "./types.ts";

export interface Table {
  readonly address: number;
  readonly entries: readonly Entry[];
}

/** A hash that an object keeps of itself, as tuples do. */
interface CachedHash {
  readonly object: number;
  readonly field: number;
  readonly hash: number;
}

export interface Inspection {
  readonly texts: ReadonlyMap<number, Text>;
  readonly keys: readonly Table[];
  readonly sets: readonly Table[];
  readonly largestSetBytes: number;
  readonly textChains: readonly Table[];
  readonly cTextChains: readonly Table[];
  /** Hashes that stand beside a key in no table: nodes of ordered dicts, links of caches. */
  readonly notes: readonly Entry[];
  readonly cached: readonly CachedHash[];
}

interface Subject {
  readonly memory: MemoryView;
  readonly live: readonly number[];
  readonly known: KnownObjects;
  readonly hash: HashBuffer;
  /** An earlier inspection of the same snapshot, to look where it has found something instead of everywhere. */
  readonly earlier?: Inspection;
}

/** Bytes of "file name:module name", and more. */
const longestName = 4096;

/** Word offsets of the hash that objects of a kind keep of themselves. */
const ownHash: Partial<Record<Kind, number>> = {
  tuple: contentHash,
  frozenset: setLayout.hash,
  weakReference: weakReference.hash,
  memoryView: memoryViewHash,
  date: dateHash,
};

export function inspect(subject: Subject): Inspection {
  const { memory, live, known } = subject;
  const kinds = new TypeKinds(memory, known);
  const texts = findTexts(memory, live, {
    known,
    kinds,
    hash: subject.hash,
    places: subject.earlier?.texts.keys(),
  });
  const hashOfText = (key: number): number => {
    if (!texts.has(key)) throw inconsistent("a key", key);
    return signedWord(memory, key, contentHash);
  };
  const keys = new Map<number, Table>();
  const sets: Table[] = [];
  const notes: Entry[] = [];
  const cached: CachedHash[] = [];
  let largestSetBytes = 0;
  const addKeys = (address: number): void => {
    if (address !== 0 && !keys.has(address)) {
      keys.set(address, { address, entries: readKeys(memory, address, hashOfText) });
    }
  };
  for (const address of live) {
    const kind = kinds.of(address);
    if (kind === "dict" || kind === "orderedDict") addKeys(word(memory, address, dict.keys));
    if (kind === "orderedDict") notes.push(...readOrder(memory, address));
    if (kind === "heapType" && word(memory, address, typeObject.flags) & typeFlag.heap) {
      addKeys(word(memory, address, typeObject.cachedKeys));
    }
    if (kind === "set" || kind === "frozenset") {
      const { entries, tableBytes } = readSet(memory, address, known.setDummy);
      sets.push({ address, entries });
      largestSetBytes = Math.max(largestSetBytes, tableBytes);
    }
    if (kind === "cacheLink") notes.push(noteOfLink(memory, address));
    const offset = ownHash[kind];
    if (offset !== undefined && !isDead(memory, address, kind, known)) {
      const hash = signedWord(memory, address, offset);
      if (hash !== -1) cached.push({ object: address, field: address + 4 * offset, hash });
    }
  }
  demandAgreement(notes, [...keys.values()]);
  const chains = findChains(subject, texts);
  return { texts, keys: [...keys.values()], sets, largestSetBytes, notes, cached, ...chains };
}

function noteOfLink(memory: MemoryView, address: number): Entry {
  return {
    key: word(memory, address, cacheLink.key),
    hash: signedWord(memory, address, cacheLink.hash),
    field: address + 4 * cacheLink.hash,
  };
}

/** A note repeats what a table of its owner says: that no table says it means that it is no note. */
function demandAgreement(notes: readonly Entry[], tables: readonly Table[]): void {
  const said = new Map(tables.flatMap((table) => table.entries.map(({ key, hash }) => [key, hash])));
  for (const { key, hash } of notes) {
    if (said.get(key) !== hash) throw inconsistent("a note of a hash", key);
  }
}

/** The hash that a weak reference keeps of an object that is gone can never be had again, nor is it asked for. */
function isDead(memory: MemoryView, address: number, kind: Kind, known: KnownObjects): boolean {
  return kind === "weakReference" && word(memory, address, weakReference.object) === known.none;
}

/** The tables that C alone holds, for static strings and for extension modules: found by their shape and their hashes. */
function findChains(
  { memory, known, hash, earlier }: Subject,
  texts: ReadonlyMap<number, Text>,
): Pick<Inspection, "textChains" | "cTextChains"> {
  const textChains: Table[] = [];
  const cTextChains: Table[] = [];
  const places = earlier && [...earlier.textChains, ...earlier.cTextChains].map((table) => table.address);
  for (const address of places ?? chainCandidates(memory)) {
    const entries = readChains(memory, address);
    if (entries === undefined) continue;
    const isText = (entry: Entry): boolean =>
      texts.has(entry.key) &&
      word(memory, entry.key, object.type) === known.str &&
      signedWord(memory, entry.key, contentHash) === entry.hash;
    const isCText = ({ key, hash: stored }: Entry): boolean => {
      const length = key === 0 ? -1 : memory.u8.subarray(key, key + longestName).indexOf(0);
      return length > 0 && hash(key, length) === stored;
    };
    if (entries.every(isText)) textChains.push({ address, entries });
    else if (entries.every(isCText)) cTextChains.push({ address, entries });
  }
  if (textChains.length === 0 || cTextChains.length === 0) {
    throw new ImageError(
      "IMAGE_BUILD_FAILED",
      "the tables of static strings and extension modules are not there",
    );
  }
  return { textChains, cTextChains };
}
