// From what a survey has found to the plan that is stored with an image.
import type { Inspection, Table } from "./inspect.ts";
import { contentHash, generalKind, keys as keysLayout, object, unicodeEntry } from "./layout.ts";
import { type MemoryView, word } from "./memory-view.ts";
import { movedPages } from "./moved-pages.ts";
import { encodeProgram, lateOperation, noText, type RehashPlan } from "./plan.ts";
import { mostItemWords, PortionWriter } from "./portions.ts";
import type { KnownObjects } from "./types.ts";

interface Findings {
  readonly memory: MemoryView;
  readonly known: KnownObjects;
  readonly found: Inspection;
  /** Keys whose hash depends on the secret and can only be told by CPython. */
  readonly composite: ReadonlySet<number>;
  /** Fields of hashes that objects keep of themselves and that depend on the secret. */
  readonly dependent: ReadonlySet<number>;
  /** Fields that CPython fills while it hashes the composite keys. */
  readonly filled: ReadonlySet<number>;
  /** How often the composite keys are hashed: more than once where they are elements of sets that are keys themselves. */
  readonly passes: number;
}

export function encodePlan(findings: Findings, parts: Pick<RehashPlan, "secret" | "routine">): RehashPlan {
  const { memory, found } = findings;
  const { keys, sets, textChains, cTextChains, notes } = found;
  const isLate = (table: Table): boolean => table.entries.some(({ key }) => findings.composite.has(key));
  const depends = (table: Table): boolean => table.entries.some(({ key }) => keepsOwnHash(findings, key));
  const early = (tables: readonly Table[]): number[] =>
    tables.filter((table) => depends(table) && !isLate(table)).map((table) => table.address);
  // The hash of a frozenset is made of what stands in its table, which is rebuilt last.
  const copies = [...notes, ...sets.filter(isLate).flatMap((table) => table.entries)]
    .filter(({ key }) => keepsOwnHash(findings, key))
    .flatMap(({ field, key }) => [field ?? 0, key + 4 * contentHash]);
  const texts = encodeTexts(findings);
  const nameTables = new PortionWriter();
  const otherKeys: number[] = [];
  for (const address of inOrder(early(keys), (table) => word(memory, table + keysLayout.entries, 0))) {
    const numbers = numbersOfKeys(memory, address, texts.numberOf);
    if (numbers) nameTables.add([address, numbers.length, ...inPairs(numbers)]);
    else otherKeys.push(address);
  }
  return {
    ...parts,
    texts: texts.encoded,
    textCount: texts.count,
    nameTables: nameTables.finish(),
    program: encodeProgram({
      resets: [...findings.dependent, ...texts.forgotten].sort((a, b) => a - b),
      copies,
      keys: otherKeys,
      sets: early(sets),
      textChains: textChains.map((table) => table.address),
      cTextChains: cTextChains.map((table) => table.address),
    }),
    scratchBytes: found.largestSetBytes,
    movedPages: Uint32Array.from(
      movedPages(
        memory,
        sets.filter((table) => depends(table) || isLate(table)),
        [...textChains, ...cTextChains],
      ),
    ),
    late: Uint32Array.from(encodeLate(findings, isLate)),
  };
}

interface EncodedTexts {
  readonly encoded: Uint32Array;
  readonly count: number;
  readonly numberOf: ReadonlyMap<number, number>;
  readonly forgotten: readonly number[];
}

/** Strings that are keys get their hash; the others forget theirs, and CPython computes it when it is asked for. */
function encodeTexts({ memory, found }: Findings): EncodedTexts {
  const needed = new Set<number>();
  for (const { entries } of [...found.keys, ...found.sets, ...found.textChains, { entries: found.notes }]) {
    for (const { key } of entries) needed.add(key);
  }
  const lengthOf = (address: number): number => found.texts.get(address)?.bytes ?? 0;
  const contentOf = (address: number): Uint8Array => {
    const { content = 0, bytes = 0 } = found.texts.get(address) ?? {};
    return memory.u8.subarray(content, content + bytes);
  };
  const numberOf = new Map<number, number>();
  const groups = new Map<number, number[]>();
  const forgotten: number[] = [];
  for (const address of inOrder([...found.texts.keys()], lengthOf)) {
    const bytes = lengthOf(address);
    if (bytes === 0) numberOf.set(address, 0);
    else if (!needed.has(address)) forgotten.push(address + 4 * contentHash);
    else if (groups.get(bytes)?.push(address) === undefined) groups.set(bytes, [address]);
  }
  const encoded = new PortionWriter();
  let count = 0;
  for (const [bytes, addresses] of groups) {
    const fourWords = 4 * (1 + Math.ceil(bytes / 4));
    const fours = Math.ceil(addresses.length / 4);
    for (let done = 0; done < fours; ) {
      const [fitting = 0, most = 0] = [encoded.room, mostItemWords].map((words) =>
        Math.max(0, Math.floor((words - 2) / fourWords)),
      );
      const some = Math.min(fours - done, fitting || most || 1);
      const item = [some, bytes];
      for (const end = done + some; done < end; done++) {
        const four = [0, 1, 2, 3].map((index) => addresses[done * 4 + index] ?? addresses.at(-1) ?? 0);
        const contents = four.map((address) => wordsOf(contentOf(address)));
        item.push(...four.map((address) => address + 4 * contentHash));
        for (let index = 0; index < Math.ceil(bytes / 4); index++)
          item.push(...contents.map((words) => words[index] ?? 0));
        for (const address of four) numberOf.set(address, ++count);
      }
      encoded.add(item);
    }
  }
  return { encoded: encoded.finish(), count, numberOf, forgotten };
}

/** Filled up with zeros. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

/** Of a table that has nothing but texts for keys and whose indices are no wider than 16 bits; undefined of any other. */
function numbersOfKeys(
  memory: MemoryView,
  address: number,
  numberOf: ReadonlyMap<number, number>,
): number[] | undefined {
  const { u8 } = memory;
  if (u8[address + keysLayout.kind] === generalKind || (u8[address + keysLayout.log2Size] ?? 0) >= 16)
    return undefined;
  const first = address + keysLayout.indices + (1 << (u8[address + keysLayout.log2IndexBytes] ?? 0));
  const count = word(memory, address + keysLayout.entries, 0);
  const numbers: number[] = [];
  for (let index = 0; index < count; index++) {
    const key = word(memory, first + index * unicodeEntry.bytes + unicodeEntry.key, 0);
    const number = key === 0 ? noText : numberOf.get(key);
    if (number === undefined || (key !== 0 && number >= noText)) return undefined;
    numbers.push(number);
  }
  return numbers;
}

/** Two numbers of 16 bits in each word, the first in its lower half. */
function inPairs(numbers: readonly number[]): number[] {
  return Array.from(
    { length: Math.ceil(numbers.length / 2) },
    (_, index) => ((numbers[2 * index] ?? 0) | ((numbers[2 * index + 1] ?? 0) << 16)) >>> 0,
  );
}

/** All hashes first: rebuilding a set moves its entries, and the hash of a frozenset does not ask for their order. */
function encodeLate(findings: Findings, isLate: (table: Table) => boolean): number[] {
  const { found, composite, dependent, filled, passes } = findings;
  const entries = [...found.sets, ...found.keys].flatMap((table) => table.entries).concat(found.notes);
  const hash = entries
    .filter(({ key }) => composite.has(key))
    .flatMap(({ field, key }) => [lateOperation.hash, field ?? 0, key]);
  const forget = [...dependent, ...filled].flatMap((field) => [lateOperation.forget, field, 0]);
  const rebuild = (tables: readonly Table[], operation: number): number[] =>
    tables.filter(isLate).flatMap(({ address }) => [operation, address, 0]);
  return [
    ...Array.from({ length: passes }, (_, index) => (index === 0 ? hash : [...forget, ...hash])).flat(),
    ...rebuild(found.sets, lateOperation.set),
    ...rebuild(found.keys, lateOperation.keys),
  ];
}

/** By size, so that the processor foresees how long each loop is: that halves the time. */
function inOrder(addresses: readonly number[], size: (address: number) => number): number[] {
  return [...addresses].sort((a, b) => size(a) - size(b) || a - b);
}

export function keepsOwnHash({ memory, known }: Pick<Findings, "memory" | "known">, key: number): boolean {
  const type = word(memory, key, object.type);
  return type === known.str || type === known.bytes;
}
