// A reset that looks only at the pages that were noted as written: see wasm/marking/card-table.ts for why these notes are true.
import type { Machine } from "./machine.ts";
import { type MemoryPower, restoreGlobals, type Snapshot } from "./snapshot.ts";
import { cardBytes, cardShift, slackBytes } from "./wasm/marking/card-table.ts";

/** Pages between two noted ones that are copied with them: quicker than another copy. */
const closePages = 1;

export class MarkedRestore {
  readonly #snapshot: Snapshot;
  readonly #power: MemoryPower;
  readonly #always: Uint32Array;
  /** By page: where its content stands in the snapshot's; -1 for a page of zeros. */
  readonly #places: Int32Array;

  /** `always`: pages to restore whether they were written or not. */
  constructor(snapshot: Snapshot, power: MemoryPower, always: Uint32Array) {
    this.#snapshot = snapshot;
    this.#power = power;
    this.#always = always;
    this.#places = new Int32Array(snapshot.memoryBytes >>> cardShift).fill(-1);
    let place = 0;
    for (let i = 0; i + 1 < snapshot.runs.length; i += 2) {
      const first = (snapshot.runs[i] ?? 0) >>> cardShift;
      const count = (snapshot.runs[i + 1] ?? 0) >>> cardShift;
      for (let page = first; page < first + count; page++, place += cardBytes) this.#places[page] = place;
    }
  }

  /** For a machine whose notes hold. */
  restore(machine: Machine): void {
    const { cards } = machine;
    if (cards === undefined) return;
    const memory = machine.guest.bytes;
    const notes = memory.subarray(cards.start, cards.start + cards.pages);
    for (const page of this.#always) notes[page] = 1;
    for (let first = notes.indexOf(1); first >= 0; ) {
      let end = endOfRun(notes, first);
      let next = notes.indexOf(1, end);
      while (next >= 0 && next - end <= closePages) {
        end = endOfRun(notes, next);
        next = notes.indexOf(1, end);
      }
      this.#range(memory, first << cardShift, (end << cardShift) + slackBytes);
      first = next;
    }
    notes.fill(0);
    restoreGlobals(machine, this.#snapshot);
  }

  #range(memory: Uint8Array, start: number, end: number): void {
    const { content } = this.#snapshot;
    for (let at = start; at < end; ) {
      const place = this.#places[at >>> cardShift] ?? -1;
      let stop = ((at >>> cardShift) + 1) << cardShift;
      while (stop < end && (this.#places[stop >>> cardShift] ?? -1) >= 0 === place >= 0) stop += cardBytes;
      stop = Math.min(stop, end);
      if (place < 0) memory.fill(0, at, stop);
      else this.#power.copy(memory.subarray(at, stop), content.subarray(place, place + stop - at));
      at = stop;
    }
  }
}

function endOfRun(notes: Uint8Array, first: number): number {
  const end = notes.indexOf(0, first);
  return end < 0 ? notes.length : end;
}
