// A directory's entries against a plain list, and readers that go on while the directory changes.
import fc from "fast-check";
import { expect, test } from "vitest";
import { EntryTable } from "./entry-table.ts";

const name = fc.constantFrom("a", "b", "c", "d", "e", "f", "__proto__", "\xff");
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant("add"), name }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("remove", "replace"), name }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("read"), name }) },
);

test("does what a list does, and a reader meets what stays exactly once", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const table = new EntryTable<number>();
      let list: { name: string; node: number }[] = [];
      let reader = { position: 0, end: 0, met: [] as string[], stayed: new Set<string>() };
      const finishReading = (): void => {
        for (let entry = table.after(reader.position); entry && entry.position <= reader.end; ) {
          reader.met.push(entry.name);
          entry = table.after(entry.position);
        }
        for (const stayed of reader.stayed) {
          expect(reader.met.filter((met) => met === stayed)).toEqual([stayed]);
        }
        const present = list.map((entry) => entry.name);
        reader = { position: 0, end: table.lastPosition, met: [], stayed: new Set(present) };
      };
      steps.forEach(({ act, name }, node) => {
        const entry = table.get(name);
        expect(entry?.node).toBe(list.find((item) => item.name === name)?.node);
        if (act === "add" && entry === undefined) {
          table.add(name, node);
          list.push({ name, node });
        } else if (act === "remove" && entry !== undefined) {
          table.remove(entry);
          list = list.filter((item) => item.name !== name);
          reader.stayed.delete(name);
        } else if (act === "replace" && entry !== undefined) {
          table.replace(entry, node);
          list = list.map((item) => (item.name === name ? { name, node } : item));
        } else if (act === "read") {
          const next = table.after(reader.position);
          if (next === undefined || next.position > reader.end) finishReading();
          else {
            reader.met.push(next.name);
            reader.position = next.position;
          }
        }
        expect(table.all().map(({ name, node }) => ({ name, node }))).toEqual(list);
        expect(table.size).toBe(list.length);
        expect(table.nameBytes).toBe(list.reduce((sum, item) => sum + item.name.length, 0));
      });
      finishReading();
    }),
    { numRuns: 200 },
  );
});

test("reading and removing the first entry again and again is not quadratic", () => {
  const table = new EntryTable<number>();
  const count = 300_000;
  for (let i = 0; i < count; i++) table.add(`f${i}`, i);
  // Takes half a second; with a look at every gap it is eleven thousand million steps.
  for (let i = 0; i < count; i++) {
    const entry = table.after(0);
    if (entry?.node !== i) throw new Error(`at ${i}: ${entry?.node}`);
    table.remove(entry);
  }
  expect(table.after(0)).toBeUndefined();
}, 20_000);
