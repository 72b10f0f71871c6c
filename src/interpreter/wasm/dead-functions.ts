// Functions that nothing reaches once most exports are gone: they were there for other modules to link to. A trap in the place of each makes
// the module, which every process reads and V8 copies, half a megabyte smaller. All functions keep their numbers.

import { mentionsOf, readBodies, rewriteBodies, trapBody } from "./format/code-section.ts";

/** `roots`: functions that are exported, stand in a table or may be put there. `firstIndex` is the number of imported functions. */
export function trapDeadFunctions(code: Uint8Array, firstIndex: number, roots: Iterable<number>): Uint8Array {
  const mentioned = new Map<number, readonly number[]>();
  for (const body of readBodies(code, firstIndex))
    mentioned.set(
      body.functionIndex,
      mentionsOf(body).map(({ index }) => index),
    );
  const live = new Set<number>();
  const found = [...roots];
  for (let index = found.pop(); index !== undefined; index = found.pop()) {
    if (live.has(index)) continue;
    live.add(index);
    found.push(...(mentioned.get(index) ?? []));
  }
  return rewriteBodies(code, firstIndex, ({ functionIndex }) =>
    live.has(functionIndex) ? undefined : trapBody,
  );
}
