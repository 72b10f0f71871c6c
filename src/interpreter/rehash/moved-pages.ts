// A rehash computes most of what it writes from the plan alone: hashes, and the slots of dicts. What it moves instead, the entries
// of sets and the links of chains, must stand as it was captured whenever a rehash begins: a table half old and half new is none.
import { cardShift } from "../wasm/marking/card-table.ts";
import type { Table } from "./inspect.ts";
import { chainEntry, chainTable, set as setLayout } from "./layout.ts";
import { type MemoryView, word } from "./memory-view.ts";

/** Numbers of the pages with anything of these sets and chains, ascending. */
export function movedPages(memory: MemoryView, sets: readonly Table[], chains: readonly Table[]): number[] {
  const pages = new Set<number>();
  const add = (start: number, bytes: number): void => {
    for (let page = start >>> cardShift; page <= (start + bytes - 1) >>> cardShift; page++) pages.add(page);
  };
  for (const { address } of sets) {
    add(address + 4 * setLayout.fill, 4);
    add(word(memory, address, setLayout.table), 8 * (word(memory, address, setLayout.mask) + 1));
  }
  for (const { address, entries } of chains) {
    add(word(memory, address, chainTable.heads), 4 * word(memory, address, chainTable.buckets));
    for (const { field } of entries) add((field ?? 0) + 4 * (chainEntry.next - chainEntry.hash), 8);
  }
  return [...pages].sort((a, b) => a - b);
}
