// Portions are the list that they were cut from, and none is larger than it must be.
import fc from "fast-check";
import { expect, test } from "vitest";
import { mostItemWords, PortionWriter, portionsOf } from "./portions.ts";

const item = fc.integer({ min: 1, max: 2 * mostItemWords }).map((words) => Array<number>(words).fill(words));

test("portions hold all items in order, and no more of them than fit", () => {
  const property = fc.property(fc.array(item, { maxLength: 20 }), (items) => {
    const writer = new PortionWriter();
    const fits = items.map((words) => {
      const { room } = writer;
      writer.add(words);
      return words.length <= room;
    });
    const portions = portionsOf(writer.finish());
    expect(portions.map((portion) => portion.subarray(1).join()).join()).toBe(items.flat().join());
    expect(portions.reduce((sum, portion) => sum + (portion[0] ?? 0), 0)).toBe(items.length);
    for (const portion of portions)
      if (portion[0] !== 1) expect(portion.length).toBeLessThanOrEqual(mostItemWords + 1);
    // What did not fit any more has begun a new one, unless it was the first.
    const begun = fits.filter((fit, index) => index === 0 || !fit).length;
    expect(portions.length).toBe(begun);
  });
  fc.assert(property, { numRuns: 50 });
});
