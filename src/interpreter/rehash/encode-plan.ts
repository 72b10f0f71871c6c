// From what a survey has found to the plan that is stored with an image.
import type { Inspection, Table } from "./inspect.ts";
import { contentHash, keys as keysLayout, object, text } from "./layout.ts";
import { type MemoryView, word } from "./memory-view.ts";
import { encodeProgram, lateOperation, type RehashPlan } from "./plan.ts";
import type { KnownObjects } from "./types.ts";

export interface Findings {
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
  const { ascii, buffers, forgotten } = encodeTexts(findings);
  return {
    ...parts,
    program: encodeProgram({
      ascii: inOrder(ascii, (address) => word(memory, address, text.length)),
      buffers,
      resets: [...findings.dependent, ...forgotten],
      copies,
      keys: inOrder(early(keys), (address) => memory.u8[address + keysLayout.log2Size] ?? 0),
      sets: early(sets),
      textChains: textChains.map((table) => table.address),
      cTextChains: cTextChains.map((table) => table.address),
    }),
    scratchBytes: found.largestSetBytes,
    late: Uint32Array.from(encodeLate(findings, isLate)),
  };
}

/** Strings that are keys get their hash; the others forget theirs, and CPython computes it when it is asked for. */
function encodeTexts({
  memory,
  known,
  found,
}: Findings): Record<"ascii" | "buffers" | "forgotten", number[]> {
  const needed = new Set<number>();
  for (const { entries } of [...found.keys, ...found.sets, ...found.textChains, { entries: found.notes }]) {
    for (const { key } of entries) needed.add(key);
  }
  const ascii: number[] = [];
  const buffers: number[] = [];
  const forgotten: number[] = [];
  for (const [address, { content, bytes, compactAscii }] of found.texts) {
    const field = address + 4 * contentHash;
    if (bytes === 0) continue;
    if (!needed.has(address)) forgotten.push(field);
    else if (compactAscii && word(memory, address, object.type) === known.str) ascii.push(address);
    else buffers.push(field, content, bytes);
  }
  return { ascii, buffers, forgotten };
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
