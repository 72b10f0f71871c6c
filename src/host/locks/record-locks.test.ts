// Locks against a reference that knows the owner of every single byte: random operations of several holders over several files.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxOffset } from "../../abi/flags.ts";
import type { LockIdentity } from "../../filesystems/lock-identity.ts";
import type { LockRequest } from "../../kernel/filesystem.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { LockHolder, mostHeldLocks } from "./lock-holder.ts";
import { LockTable } from "./lock-table.ts";

/** The last byte of the reference stands for all that follow. */
const bytes = 12;
const holders = 3;
const place = {};
/** Fresh objects for words within: they are known by what they say. */
const identities: readonly (() => LockIdentity)[] = [
  () => "1:2",
  () => place,
  () => ({ within: place, word: "id 1" }),
];

type Kind = "read" | "write" | undefined;

class Reference {
  /** By file, holder, byte. */
  readonly held: Kind[][][] = identities.map(() =>
    Array.from({ length: holders }, () => Array.from({ length: bytes }, (): Kind => undefined)),
  );

  kinds(file: number, holder: number): Kind[] {
    return this.held[file]?.[holder] ?? [];
  }

  /** The first byte at which somebody else is in the way. */
  conflict(file: number, holder: number, kind: "read" | "write", from: number, to: number): number {
    for (let at = from; at <= to; at++)
      for (let other = 0; other < holders; other++) {
        const held = this.kinds(file, other)[at];
        if (other !== holder && held && (held === "write" || kind === "write")) return at;
      }
    return -1;
  }

  /** Stretches of one kind: Linux keeps each as one lock. */
  runs(holder: number): number {
    let count = 0;
    for (let file = 0; file < identities.length; file++) {
      const kinds = this.kinds(file, holder);
      for (let at = 0; at < bytes; at++) if (kinds[at] && kinds[at] !== kinds[at - 1]) count += 1;
    }
    return count;
  }
}

const step = fc.record({
  holder: fc.nat(holders - 1),
  file: fc.nat(identities.length - 1),
  act: fc.constantFrom("set", "set", "set", "set", "test", "unlock"),
  kind: fc.constantFrom<LockRequest["kind"]>("read", "write", "none"),
  ends: fc.tuple(fc.nat(bytes - 1), fc.nat(bytes - 1)),
});

test("a table of locks does what a list of bytes does", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new LockTable();
      const all = Array.from({ length: holders }, () => new LockHolder(table));
      const reference = new Reference();
      for (const { holder, file, act, kind, ends } of steps) {
        const identity = identities[file]?.() ?? "";
        const own = reference.kinds(file, holder);
        const [from, to] = [Math.min(...ends), Math.max(...ends)];
        const range = { first: BigInt(from), last: to === bytes - 1 ? maxOffset : BigInt(to) };
        const holding = all[holder] as LockHolder;
        if (act === "unlock") {
          holding.unlock(identity);
          own.fill(undefined);
        } else if (kind !== "none" || act === "set") {
          const answer = holding.lock(identity, { act, kind, ...range });
          const at = kind === "none" ? -1 : reference.conflict(file, holder, kind, from, to);
          expect(answer === undefined).toBe(at < 0);
          // What is told holds the first byte that is in the way, and is all of somebody else's.
          if (answer)
            expect(answer.last >= BigInt(at) && answer.first <= BigInt(at) && answer.kind).toBeTruthy();
          if (act === "set" && at < 0) own.fill(kind === "none" ? undefined : kind, from, to + 1);
        }
        for (let each = 0; each < holders; each++) expect(all[each]?.held).toBe(reference.runs(each));
      }
      for (const each of all) each.end();
      expect(all.map(({ held }) => held)).toEqual([0, 0, 0]);
      // Nothing is left of anybody: files that nobody has locked have no entry.
      for (const identity of identities) expect(table.find(identity())).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

describe("one holder", () => {
  const setting = { act: "set", first: 0n, last: 0n } as const;

  test("has a limit over all of its files, beyond which nothing changes: ENOLCK", () => {
    const table = new LockTable();
    const holder = new LockHolder(table);
    const lock = (file: string, at: number, kind: LockRequest["kind"] = "write"): unknown => {
      try {
        return holder.lock(file, { act: "set", kind, first: BigInt(at), last: BigInt(at) });
      } catch (error) {
        return error instanceof KernelError ? error.name : error;
      }
    };
    holder.lock("b", { act: "set", kind: "read", first: 0n, last: 100n });
    for (let at = 1; at < mostHeldLocks; at++) expect(lock("a", 2 * at)).toBeUndefined();
    expect(holder.held).toBe(mostHeldLocks);
    expect([lock("a", 0), lock("c", 0), lock("b", 50, "none")]).toEqual(["ENOLCK", "ENOLCK", "ENOLCK"]);
    expect(table.find("c")).toBeUndefined();
    // What needs no more is allowed: the gap between two becomes one with them.
    expect([lock("a", 3), lock("b", 100, "none"), holder.held]).toEqual([
      undefined,
      undefined,
      mostHeldLocks - 1,
    ]);
    // The other one's are its own.
    expect(
      new LockHolder(table).lock("b", { act: "test", kind: "write", first: 0n, last: maxOffset }),
    ).toEqual({ kind: "read", first: 0n, last: 99n });
  });

  test("gets nothing after its end", () => {
    const table = new LockTable();
    const holder = new LockHolder(table);
    holder.end();
    expect(() => holder.lock("a", { ...setting, kind: "write" })).toThrow(KernelError);
    expect(table.find("a")).toBeUndefined();
  });
});
