// Makes the plan of a snapshot, on the machine that the snapshot was taken from: that machine is worn out afterwards. Which hashes
// depend on the secret is not guessed but tried, until a plan leaves nothing wrong under a secret that it was not made with.
import { ImageError } from "../../errors/image-error.ts";
import { allocateText, symbolOf } from "../boot.ts";
import type { Machine } from "../machine.ts";
import { call } from "../request.ts";
import { plainMemory, restoreInPlace, type Snapshot } from "../snapshot.ts";
import { hashObject, Rehash } from "./apply.ts";
import { encodePlan, keepsOwnHash } from "./encode-plan.ts";
import { type Inspection, inspect } from "./inspect.ts";
import { copyMemory, type MemoryView } from "./memory-view.ts";
import { hashSecretBytes, type RehashPlan } from "./plan.ts";
import { assembleRoutine } from "./routine.ts";
import type { Entry } from "./tables.ts";
import type { KnownObjects } from "./types.ts";

type Symbols = ReadonlyMap<string, number>;

/** The last one proves the plan that was made with the others. */
const testSecrets = [0x5a, 0xc3, 0x96].map((byte) => new Uint8Array(hashSecretBytes).fill(byte));
/** Keys within keys within keys: each level takes a trial or two. */
const maxTrials = 12;

export function surveyRehash(machine: Machine, snapshot: Snapshot, symbols: Symbols): RehashPlan {
  return new Survey(machine, snapshot, symbols).plan();
}

/** Hashes that a trial of a plan got wrong. */
interface Wrong {
  readonly keys: readonly number[];
  /** Fields of hashes that objects keep of themselves. */
  readonly fields: readonly number[];
}

class Survey {
  readonly #machine: Machine;
  readonly #snapshot: Snapshot;
  readonly #known: KnownObjects;
  readonly #live: readonly number[];
  readonly #memory: MemoryView;
  readonly #found: Inspection;
  readonly #parts: Pick<RehashPlan, "secret" | "routine">;

  readonly #composite = new Set<number>();
  readonly #dependent = new Set<number>();
  readonly #filled = new Set<number>();
  #passes = 1;

  constructor(machine: Machine, snapshot: Snapshot, symbols: Symbols) {
    this.#machine = machine;
    this.#snapshot = snapshot;
    this.#known = knownObjects(machine, symbols);
    this.#live = listLive(machine);
    this.#restore();
    this.#memory = copyMemory(machine);
    this.#found = this.#inspect();
    const secret = symbolOf(symbols, "_Py_HashSecret");
    const { str, bytes, setDummy } = this.#known;
    const routine = assembleRoutine({ secret, strType: str, bytesType: bytes, setDummy });
    this.#parts = { secret, routine };
  }

  /** The first plan knows of strings and bytes alone; what it gets wrong belongs into the next one. */
  plan(): RehashPlan {
    for (let trial = 0; trial < maxTrials; trial++) {
      const plan = this.#encode();
      const wrong = this.#try(plan, trial);
      if (wrong.keys.length + wrong.fields.length === 0) {
        const last = this.#try(plan, testSecrets.length - 1);
        if (last.keys.length + last.fields.length === 0) return plan;
        break;
      }
      const known = this.#composite.size + this.#dependent.size;
      for (const key of wrong.keys) this.#composite.add(key);
      for (const field of wrong.fields) this.#dependent.add(field);
      if (this.#composite.size + this.#dependent.size === known) this.#passes += 1;
    }
    throw new ImageError("IMAGE_BUILD_FAILED", "the snapshot cannot be brought to another hash secret");
  }

  #encode(): RehashPlan {
    const [found, memory, known] = [this.#found, this.#memory, this.#known];
    const [composite, dependent, filled, passes] = [
      this.#composite,
      this.#dependent,
      this.#filled,
      this.#passes,
    ];
    return encodePlan({ found, memory, known, composite, dependent, filled, passes }, this.#parts);
  }

  /** Carries the plan out, demands consistent tables, and has CPython compute every hash anew that it can. */
  #try(plan: RehashPlan, trial: number): Wrong {
    this.#restore();
    const secret = testSecrets[Math.min(trial, testSecrets.length - 1)];
    new Rehash(this.#machine, plan).apply(secret ?? new Uint8Array(hashSecretBytes));
    const after = this.#inspect(this.#found);
    const same = (["keys", "sets", "textChains", "cTextChains", "notes"] as const).every(
      (part) => after[part].length === this.#found[part].length,
    );
    if (!same) throw new ImageError("IMAGE_BUILD_FAILED", "a rehash has lost a table of the snapshot");
    const cachedBefore = new Set(this.#found.cached.map(({ field }) => field));
    for (const { field } of after.cached) {
      if (!cachedBefore.has(field)) this.#filled.add(field);
      this.#machine.guest.setI32(field, -1);
    }
    const entries = [...after.notes, ...[...after.keys, ...after.sets].flatMap((table) => table.entries)];
    const isWrong = ({ key, hash }: Entry): boolean =>
      !keepsOwnHash({ memory: this.#memory, known: this.#known }, key) &&
      hashObject(this.#machine, key) !== hash;
    return {
      keys: entries.filter(isWrong).map(({ key }) => key),
      fields: after.cached
        .filter(({ object, hash }) => hashObject(this.#machine, object) !== hash)
        .map(({ field }) => field),
    };
  }

  #restore(): void {
    restoreInPlace(this.#machine, this.#snapshot, plainMemory);
  }

  #inspect(earlier?: Inspection): Inspection {
    const { python } = this.#machine;
    return inspect({
      memory: copyMemory(this.#machine),
      live: this.#live,
      known: this.#known,
      hash: (content, bytes) => python.Py_HashBuffer(content, bytes),
      ...(earlier && { earlier }),
    });
  }
}

function knownObjects(machine: Machine, symbols: Symbols): KnownObjects {
  const address = (name: string): number => symbolOf(symbols, name);
  return {
    type: address("PyType_Type"),
    str: address("PyUnicode_Type"),
    bytes: address("PyBytes_Type"),
    set: address("PySet_Type"),
    frozenset: address("PyFrozenSet_Type"),
    orderedDict: address("PyODict_Type"),
    weakReference: address("_PyWeakref_RefType"),
    memoryView: address("PyMemoryView_Type"),
    none: address("_Py_NoneStruct"),
    // A pointer to the object.
    setDummy: machine.guest.getU32(address("_PySet_Dummy")),
  };
}

/** Asks Python itself, whose collector knows every container. */
function listLive(machine: Machine): number[] {
  const { python } = machine;
  const module = python.PyImport_ImportModule(allocateText(machine, "sandboa._survey"));
  const list = module && python.PyObject_GetAttrString(module, allocateText(machine, "live"));
  if (!list) {
    python.PyErr_Print();
    throw new ImageError("IMAGE_BUILD_FAILED", "the survey of live objects could not be imported");
  }
  const answer = call(machine, list, new Uint8Array(0), 1 << 24);
  return [...new Uint32Array(answer.buffer, answer.byteOffset, answer.length / 4)];
}
