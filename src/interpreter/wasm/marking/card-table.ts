// A card table, as garbage collectors have one: a byte for each page of memory, which code sets when it writes there (it notes the page,
// or marks it). Here the guest's own code does so, in its own memory. The table stands at the end of a pristine memory, and its size is
// chosen so that the bytes of the pages that it stands in itself would lie beyond that end. Code that wrote into the table would have
// to note that, and traps instead: what is noted there is true, whatever the guest does. Once the memory has grown there is no such
// end, and the table says nothing any more.

import type { Cards } from "../../../abi/guest-memory.ts";

export const cardShift = 12;
export const cardBytes = 1 << cardShift;

/** A note may stand for as many bytes behind the page: writes through one pointer then share one. Objects are seldom larger. */
export const slackBytes = 1024;

/** Name of the exported global that holds `Cards.start`. */
export const cardsExport = "sandboa.cards";

/** The table in a memory of that size. */
export function cardTable(memoryBytes: number): Cards {
  const pages = Math.floor((memoryBytes - slackBytes) / (cardBytes + 1));
  return { start: memoryBytes - pages, pages, shift: cardShift };
}

/** The end of the addresses at which notes are made once the memory has grown: a byte for each page of four gigabytes. */
export function cardsEnd(memoryBytes: number): number {
  return cardTable(memoryBytes).start + 2 ** (32 - cardShift);
}
