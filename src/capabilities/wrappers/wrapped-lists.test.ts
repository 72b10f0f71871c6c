// Listings that go on after the tree has answered: what a wrapper refuses, tells and hides while they are iterated.
import { describe, expect, test } from "vitest";
import { listedAtOnce } from "../../filesystems/plain-list.ts";
import type { Later, NamedTreeEntry } from "../../filesystems/tree.ts";
import { outcome } from "../../filesystems/tree-view-fixture.ts";
import { fail } from "../../kernel/kernel-error.ts";
import type { FileCapability } from "../capability.ts";
import { filtered } from "./filtered.ts";
import { limited } from "./limited.ts";
import { type FileUse, observed } from "./observed.ts";
import { revocable } from "./revocable.ts";
import { capabilityOf, Hands, resolve } from "./wrapper-fixture.ts";

const many = 3 * listedAtOnce;
const entry = (at: number): NamedTreeEntry => ({ name: `f${at}`, kind: "file", size: 0 });
const all = (count: number): NamedTreeEntry[] => Array.from({ length: count }, (_, at) => entry(at));

class Folder {
  asked = 0;
  ended = 0;
  onEntry: (at: number) => void = () => {};
  readonly #count: number;

  constructor(count = many) {
    this.#count = count;
  }

  get place(): FileCapability {
    return this.placeOf({ [Symbol.iterator]: () => this.entries() });
  }

  placeOf(listing: Later<Iterable<NamedTreeEntry>>): FileCapability {
    return capabilityOf({
      stat: () => ({ kind: "directory", size: 0 }),
      list: () => listing,
      open: () => fail("EACCES"),
    });
  }

  *entries(): Generator<NamedTreeEntry> {
    try {
      for (let at = 0; at < this.#count; at++) {
        this.asked += 1;
        this.onEntry(at);
        yield entry(at);
      }
    } finally {
      this.ended += 1;
    }
  }
}

type Listing = Iterable<NamedTreeEntry>;

const listing = (place: FileCapability, hands = new Hands()): Listing =>
  resolve(place, hands).list?.("") as Listing;

/** How many came before it ended, and how. */
async function iterated(given: Listing): Promise<[number, string]> {
  let count = 0;
  const end = await outcome(() => {
    for (const _ of given) count += 1;
  });
  return [count, end];
}

test("revocable: a listing under way ends with revoke, and what it was made of with it", async () => {
  const folder = new Folder();
  const { capability, revoke } = revocable(folder.place);
  const given = listing(capability);
  folder.onEntry = (at) => at === 700 && revoke();
  // The answer to what was asked before does not arrive either.
  expect([await iterated(given), folder.asked, folder.ended]).toEqual([[700, "EACCES"], 701, 1]);
  expect(await iterated(given)).toEqual([0, "EACCES"]);
});

test("revocable: of what was gathered before, nothing more comes than one part", async () => {
  const { capability, revoke } = revocable(new Folder().placeOf(all(many)));
  const given = listing(capability);
  revoke();
  expect(await iterated(given)).toEqual([0, "EACCES"]);
});

test("limited: a listing under way ends with its time", async () => {
  const hands = new Hands();
  const folder = new Folder();
  const given = listing(limited(folder.place, { until: "5 s" }), hands);
  folder.onEntry = (at) => {
    if (at === 600) hands.ms += 5000;
  };
  expect(await iterated(given)).toEqual([600, "EACCES"]);
});

describe("observed", () => {
  const watched = (place: FileCapability): { told: unknown[]; given: Listing } => {
    const told: unknown[] = [];
    const note = ({ operation, error }: FileUse): unknown => told.push(error ?? operation);
    return { told, given: listing(observed(place, note)) };
  };

  test("a listing is told once, when it has ended", async () => {
    const { told, given } = watched(new Folder().place);
    expect(told).toEqual([]);
    expect([await iterated(given), told]).toEqual([[many, "ok"], ["list"]]);
    expect([await iterated(given), told]).toEqual([[many, "ok"], ["list"]]);
  });

  test("what fails while it is iterated is told as refused", async () => {
    const folder = new Folder();
    folder.onEntry = (at) => at === 700 && fail("ENOENT");
    const { told, given } = watched(folder.place);
    expect([await iterated(given), told]).toEqual([[700, "ENOENT"], ["ENOENT"]]);
  });

  test("one of which nobody wants more has ended as well", () => {
    const folder = new Folder();
    const { told, given } = watched(folder.place);
    for (const _ of given) break;
    expect([told, folder.ended]).toEqual([["list"], 1]);
    const unread = watched(folder.place);
    unread.given[Symbol.iterator]().return?.();
    expect(unread.told).toEqual(["list"]);
  });
});

describe("filtered", () => {
  const isEven = ({ path }: { path: string }): boolean => Number(path.slice(1)) % 2 === 0;

  test("a filter that answers at once is asked as the listing is iterated, however often", async () => {
    const folder = new Folder();
    let asked = 0;
    const given = listing(
      filtered(folder.place, (request) => {
        asked += 1;
        return isEven(request);
      }),
    );
    expect([folder.asked, asked]).toEqual([listedAtOnce, listedAtOnce]);
    expect([...given].map(({ name }) => name)).toEqual(
      all(many)
        .map(({ name }) => name)
        .filter((path) => isEven({ path })),
    );
    expect([folder.asked, asked, folder.ended]).toEqual([many, many, 1]);
    expect(await iterated(given)).toEqual([many / 2, "ok"]);
  });

  test("one that is given up ends what it was made of, also before its first entry", () => {
    const folder = new Folder();
    listing(filtered(folder.place, () => true))
      [Symbol.iterator]()
      .return?.();
    for (const _ of listing(filtered(folder.place, () => true))) break;
    expect(folder.ended).toBe(2);
  });

  test("small ones are arrays, and so are those for which the filter is waited", async () => {
    expect(listing(filtered(new Folder(10).place, isEven))).toEqual(all(10).filter((_, at) => at % 2 === 0));
    const later = listing(filtered(new Folder().place, async (request) => isEven(request)));
    expect(await later).toEqual(all(many).filter((_, at) => at % 2 === 0));
  });

  test("a filter that is waited for after it had answered at once fails that listing, and no other", async () => {
    const answer = ({ path }: { path: string }): Later<boolean> =>
      path === "f700" ? Promise.resolve(true) : true;
    const place = filtered(new Folder().place, answer);
    expect(() => [...listing(place)]).toThrow("the filter answered with a promise");
    expect(await listing(place)).toEqual(all(many));
  });

  test("what the filter throws ends what the listing was made of", () => {
    const folder = new Folder();
    const refuse = ({ path }: { path: string }): boolean => (path === "f700" ? fail("EACCES") : true);
    const given = listing(filtered(folder.place, refuse));
    expect(() => [...given]).toThrow();
    expect([folder.asked, folder.ended]).toEqual([701, 1]);
  });
});

test("small listings stay what they are", () => {
  const small = all(3);
  const place = new Folder().placeOf(small);
  expect(listing(revocable(place).capability)).toBe(small);
  expect(listing(limited(place, { until: "5 s" }))).toBe(small);
  expect(listing(observed(place, () => {}))).toBe(small);
});
