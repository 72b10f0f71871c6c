// A listing part by part: what a tree gives is asked for as it is needed, checked over all parts, and ended early where nobody wants more.
import { expect, test } from "vitest";
import { FileError } from "../errors/file-error.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { listedAtOnce, maxListedEntries, PlainList } from "./plain-list.ts";

const file = (name: string) => ({ name, kind: "file", size: 1 });

class Given {
  asked = 0;
  closed = 0;

  *entries(count: number): Generator<unknown> {
    try {
      for (let at = 0; at < count; at++) {
        this.asked += 1;
        yield file(`f${at}`);
      }
    } finally {
      this.closed += 1;
    }
  }
}

test("a long one comes in parts, and no entry is asked for before its part is", () => {
  const given = new Given();
  const list = new PlainList(given.entries(2 * listedAtOnce + 1), () => {});
  expect(given.asked).toBe(0);
  const first = list.next();
  expect([first.entries.length, first.isLast, list.seen, given.asked]).toEqual([
    listedAtOnce,
    false,
    listedAtOnce,
    listedAtOnce,
  ]);
  expect(list.next().entries[0]).toEqual(file(`f${listedAtOnce}`));
  expect(list.next()).toEqual({ entries: [file(`f${2 * listedAtOnce}`)], isLast: true });
});

test("no name twice in any part, and only the first fault is told", () => {
  const faults: unknown[] = [];
  const names = [...Array(listedAtOnce).keys()].map((at) => `f${at}`);
  const list = new PlainList([...names, "f0", "", "last"].map(file), (fault) => faults.push(String(fault)));
  list.next();
  expect(list.next()).toEqual({ entries: [file("last")], isLast: true });
  expect(faults).toEqual(['FaultyAnswer: the tree answered with the name "f0" twice']);
});

test("one without end is none", () => {
  const list = new PlainList(new Given().entries(Number.POSITIVE_INFINITY), () => {});
  const all = (): void => {
    while (!list.next().isLast);
  };
  expect(all).toThrow(`the tree answered with more than ${maxListedEntries} entries`);
});

test("closing ends what the tree gave, and what that throws is told", () => {
  const given = new Given();
  const faults: unknown[] = [];
  const list = new PlainList(given.entries(2 * listedAtOnce), () => {});
  list.next();
  list.close();
  expect(given.closed).toBe(1);
  const reason = new Error("still busy");
  const entries = {
    [Symbol.iterator]: () => ({
      next: () => ({ done: false, value: file("a") }),
      return: () => {
        throw reason;
      },
    }),
  };
  new PlainList(entries, (fault) => faults.push(fault)).close();
  expect(faults).toEqual([reason]);
});

test("a folder that goes while it is listed is no end of the listing", () => {
  for (const gone of [new KernelError("ENOENT"), new FileError("ENOENT")]) {
    const failing = (after: number): PlainList =>
      new PlainList(
        (function* () {
          yield* new Given().entries(after);
          throw gone;
        })(),
        () => {},
      );
    const list = failing(listedAtOnce);
    list.next();
    expect(refusal(() => list.next())).toBe("EIO");
    expect(refusal(() => failing(1).next())).toBe("EIO");
    // Nothing of it was there.
    expect(refusal(() => failing(0).next())).toBe("ENOENT");
  }
});

function refusal(action: () => unknown): string {
  try {
    action();
    return "ok";
  } catch (error) {
    if (error instanceof KernelError) return error.name;
    return error instanceof FileError ? error.code : String(error);
  }
}
