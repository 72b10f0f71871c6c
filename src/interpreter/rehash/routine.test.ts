// The routine rebuilds tables of every width; the strict reader, which follows CPython's own sequence of probes, judges them.
import fc from "fast-check";
import { expect, test } from "vitest";
import { contentHash, generalKind, keys as keysLayout, object, set as setLayout } from "./layout.ts";
import type { MemoryView } from "./memory-view.ts";
import { noText } from "./plan.ts";
import { assembleRoutine, type RoutineExports } from "./routine.ts";
import { readKeys, readSet } from "./tables.ts";

const [secret, strType, bytesType, otherType, setDummy] = [16, 64, 68, 72, 76];
/** Objects of 16 bytes each; then the table. */
const objects = 1024;
const table = 1 << 22;
const setObject = 256;

const memory = new WebAssembly.Memory({ initial: 128 });
const view: MemoryView = {
  u8: new Uint8Array(memory.buffer),
  i8: new Int8Array(memory.buffer),
  i16: new Int16Array(memory.buffer),
  i32: new Int32Array(memory.buffer),
  u32: new Uint32Array(memory.buffer),
};
const bytes = assembleRoutine({ secret, strType, bytesType, setDummy }) as Uint8Array<ArrayBuffer>;
const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
const routine = instance.exports as unknown as RoutineExports;

const storedHash = (key: number): number => view.i32[key / 4 + contentHash] ?? 0;

function addKey(index: number, hash: number, type: number): number {
  const address = objects + 16 * index;
  view.i32[address / 4 + object.type] = type;
  view.i32[address / 4 + contentHash] = hash;
  return address;
}

/** Few different low bits, so that probes collide; the high bits then decide. */
const hashes = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 0, max: 2 ** 26 - 1 }).map((high) => high << 5),
);

test.each([
  ["8", 3, 5],
  ["8", 6, 42],
  ["16", 9, 341],
  ["32", 16, 43_690],
])("dict keys with %s-bit indices", (_bits, log2Size, most) => {
  const width = log2Size < 8 ? 1 : log2Size < 16 ? 2 : 4;
  const property = fc.property(
    fc.array(fc.tuple(hashes, fc.constantFrom("text", "gone", "other")), { maxLength: most }),
    fc.boolean(),
    (entries, general) => {
      view.u8.fill(0, table, table + 24 + (1 << log2Size) * (width + 12));
      view.u8[table + keysLayout.log2Size] = log2Size;
      view.u8[table + keysLayout.log2IndexBytes] = log2Size + Math.log2(width);
      view.u8[table + keysLayout.kind] = general ? generalKind : generalKind + 1;
      view.i32[(table + keysLayout.entries) / 4] = entries.length;
      view.i32[(table + keysLayout.usable) / 4] = 0;
      let at = (table + keysLayout.indices + (width << log2Size)) / 4;
      entries.forEach(([hash, kind], index) => {
        const isText = kind === "text" || !general;
        const key = kind === "gone" ? 0 : addKey(index, hash, isText ? strType : otherType);
        view.i32.set(general ? [isText ? ~hash : hash, key, 1] : [key, 1], at);
        at += general ? 3 : 2;
      });
      routine.keys(table);
      const read = readKeys(view, table, storedHash);
      const expected = entries.filter(([, kind]) => kind !== "gone").map(([hash]) => hash);
      expect(read.map((entry) => entry.hash)).toEqual(expected);
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test.each([
  ["8", 3, 5],
  ["8", 7, 85],
  ["16", 9, 341],
])("dict keys with %s-bit indices, by the numbers of the keys", (_bits, log2Size, most) => {
  const hashList = 1 << 20;
  const nameTables = 1 << 21;
  const bytes = 24 + (1 << log2Size) * (log2Size < 8 ? 1 : 2);
  const property = fc.property(fc.array(fc.option(hashes), { maxLength: most }), (entries) => {
    view.u8.fill(0, table, table + bytes + 8 * most);
    view.u8[table + keysLayout.log2Size] = log2Size;
    view.u8[table + keysLayout.log2IndexBytes] = log2Size + (log2Size < 8 ? 0 : 1);
    view.u8[table + keysLayout.kind] = generalKind + 1;
    view.i32[(table + keysLayout.entries) / 4] = entries.length;
    entries.forEach((hash, index) => {
      const key = hash === null ? 0 : addKey(index, hash, strType);
      view.i32.set([key, 1], (table + bytes - 4) / 4 + 2 * index);
      view.i32[hashList / 4 + index + 1] = hash ?? 0;
      new DataView(memory.buffer).setUint16(
        nameTables + 12 + 2 * index,
        hash === null ? noText : index + 1,
        true,
      );
    });
    view.u32.set([1, table, entries.length], nameTables / 4);
    routine.nameTables(nameTables, hashList);
    const read = readKeys(view, table, storedHash);
    expect(read.map((entry) => entry.hash)).toEqual(entries.filter((hash) => hash !== null));
  });
  fc.assert(property, { numRuns: 60 });
});

test.each([7, 63, 1023])("sets with mask %i, without their deleted entries", (mask) => {
  const property = fc.property(
    fc.array(fc.tuple(hashes, fc.constantFrom("text", "deleted", "other")), {
      maxLength: Math.floor((mask * 3) / 5),
    }),
    (entries) => {
      view.u8.fill(0, table, table + 8 * (mask + 1));
      const at = setObject / 4;
      const kept = entries.filter(([, kind]) => kind !== "deleted");
      view.i32[at + setLayout.fill] = entries.length;
      view.i32[at + setLayout.used] = kept.length;
      view.i32[at + setLayout.mask] = mask;
      view.i32[at + setLayout.table] = table;
      entries.forEach(([hash, kind], index) => {
        const key =
          kind === "deleted" ? setDummy : addKey(index, hash, kind === "text" ? bytesType : otherType);
        view.i32.set([key, kind === "text" ? ~hash : hash], table / 4 + 2 * ((index * 7) & mask));
      });
      routine.set(setObject, table + (1 << 16));
      const read = readSet(view, setObject, setDummy);
      const numbers = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);
      expect(numbers(read.entries.map(({ hash }) => hash))).toEqual(numbers(kept.map(([hash]) => hash)));
      expect(view.i32[at + setLayout.fill]).toBe(kept.length);
    },
  );
  fc.assert(property, { numRuns: 100 });
});
