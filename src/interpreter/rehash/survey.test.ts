// The survey refuses a snapshot in which anything that it relies on is not exactly so, and finds the same plan each time.
import { beforeAll, expect, test } from "vitest";
import { ImageError } from "../../errors/image-error.ts";
import { compileRest } from "../../host/images/rest-module.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { readDistributionFile } from "../../platform/node/package-files.ts";
import { nodeMemory } from "../../platform/node/powers.ts";
import { prepareModule } from "../image.ts";
import { Machine } from "../machine.ts";
import { newMemory, restoreFresh, type Snapshot } from "../snapshot.ts";
import { guestProcess, type Prepared, prepare } from "./guest-fixture.ts";
import { chainTable, keys, set } from "./layout.ts";
import type { RehashPlan } from "./plan.ts";
import { portionsOf } from "./portions.ts";
import { surveyRehash } from "./survey.ts";

let prepared: Prepared;
let symbols: ReadonlyMap<string, number>;
beforeAll(async () => {
  prepared = await prepare();
  symbols = prepareModule(readDistributionFile("wasm"), { allSymbols: false }).symbols;
});

/** A survey of the image's snapshot after `damage`, which gets a word-wise view of memory at rest. */
function survey(damage?: (words: Words, plan: RehashPlan) => void): RehashPlan {
  const { loaded, library, image } = prepared;
  const process = guestProcess(library, {});
  const machine = new Machine(
    loaded.module,
    new Kernel(process),
    image.hiddenGlobals,
    newMemory(image.snapshot),
    compileRest(() => loaded.rest.bytes()),
  );
  restoreFresh(machine, image.snapshot, nodeMemory);
  const snapshot = { ...image.snapshot, content: image.snapshot.content.slice() };
  damage?.(new Words(snapshot), image.rehash);
  return surveyRehash(machine, snapshot, symbols);
}

class Words {
  readonly #snapshot: Snapshot;
  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }
  get(address: number, offset = 0): number {
    return this.#view(address + 4 * offset).getUint32(0, true);
  }
  change(address: number, offset = 0): void {
    const view = this.#view(address + 4 * offset);
    view.setUint32(0, view.getUint32(0, true) ^ 0x100, true);
  }
  #view(address: number): DataView {
    const { runs, content } = this.#snapshot;
    for (let i = 0, at = 0; i < runs.length; at += runs[i + 1] ?? 0, i += 2) {
      const start = runs[i] ?? 0;
      if (address >= start && address < start + (runs[i + 1] ?? 0)) {
        return new DataView(content.buffer, content.byteOffset + at + address - start, 4);
      }
    }
    throw new RangeError(`the snapshot has nothing at ${address}`);
  }
}

/** The last item of one of the program's lists. */
function last(plan: RehashPlan, list: number): number {
  let at = 0;
  for (const width of [1, 2, 1, 1, 1, 1].slice(0, list)) at += 1 + width * (plan.program[at] ?? 0);
  return plan.program[at + (plan.program[at] ?? 0)] ?? 0;
}

/** The hash field of the first text. */
const someText = ({ texts }: RehashPlan): number => texts[4] ?? 0;

/** The largest dict keys object that has only names. */
function mostNames({ nameTables }: RehashPlan): number {
  const last = portionsOf(nameTables).at(-1) ?? new Uint32Array();
  let at = 1;
  for (let table = 1; table < (last[0] ?? 0); table++) at += 2 + Math.ceil((last[at + 1] ?? 0) / 2);
  return last[at] ?? 0;
}

test("the plan is the same each time", () => {
  expect(survey()).toEqual(prepared.image.rehash);
});

test.each<[string, (words: Words, plan: RehashPlan) => void]>([
  ["another secret", (words, plan) => words.change(plan.secret)],
  ["another hash in a string", (words, plan) => words.change(someText(plan))],
  [
    "an index of a dict that points elsewhere",
    (words, plan) => words.change(mostNames(plan) + keys.indices + 64),
  ],
  ["another number of entries in a dict", (words, plan) => words.change(mostNames(plan) + keys.entries)],
  ["another number of elements in a set", (words, plan) => words.change(last(plan, 3), set.used)],
  ["another place for the table of a set", (words, plan) => words.change(last(plan, 3), set.table)],
  ["other buckets for the static strings", (words, plan) => words.change(last(plan, 4), chainTable.entries)],
  ["other buckets for the modules", (words, plan) => words.change(last(plan, 5), chainTable.heads)],
])("%s is refused", (_what, damage) => {
  expect(() => survey(damage)).toThrow(ImageError);
});
