// Makes the plan of a snapshot, on the machine that the snapshot was taken from: that machine is worn out afterwards. Which hashes
// depend on the secret is not guessed but tried: under another secret they differ. The finished plan is tried as well.
import { ImageError } from "../../errors/image-error.ts";
import { allocateText, symbolOf } from "../boot.ts";
import type { Machine } from "../machine.ts";
import { call } from "../request.ts";
import { restoreInPlace, type Snapshot } from "../snapshot.ts";
import { hashObject, Rehash } from "./apply.ts";
import { type CachedHash, type Inspection, inspect, type Table } from "./inspect.ts";
import { contentHash, keys as keysLayout, object, text } from "./layout.ts";
import { copyMemory, type MemoryView, word } from "./memory-view.ts";
import { encodeProgram, hashSecretBytes, lateOperation, type RehashPlan } from "./plan.ts";
import { assembleRoutine } from "./routine.ts";
import type { Entry } from "./tables.ts";
import type { KnownObjects } from "./types.ts";

type Symbols = ReadonlyMap<string, number>;

const testSecrets = [0x5a, 0xc3].map((byte) => new Uint8Array(hashSecretBytes).fill(byte));

export function surveyRehash(machine: Machine, snapshot: Snapshot, symbols: Symbols): RehashPlan {
  const survey = new Survey(machine, snapshot, symbols);
  const plan = survey.plan();
  survey.check(plan);
  return plan;
}

class Survey {
  readonly #machine: Machine;
  readonly #snapshot: Snapshot;
  readonly #secret: number;
  readonly #known: KnownObjects;
  readonly #live: readonly number[];
  readonly #routine: Uint8Array;
  readonly #memory: MemoryView;
  readonly #found: Inspection;

  constructor(machine: Machine, snapshot: Snapshot, symbols: Symbols) {
    this.#machine = machine;
    this.#snapshot = snapshot;
    this.#secret = symbolOf(symbols, "_Py_HashSecret");
    this.#known = knownObjects(machine, symbols);
    this.#live = listLive(machine);
    this.#restore();
    this.#memory = copyMemory(machine);
    this.#found = this.#inspect();
    const { str, bytes, setDummy } = this.#known;
    this.#routine = assembleRoutine({ secret: this.#secret, strType: str, bytesType: bytes, setDummy });
  }

  plan(): RehashPlan {
    const { notes, cached, keys, sets } = this.#found;
    const all = [...notes, ...[...keys, ...sets].flatMap((table) => table.entries)];
    const composite = all.filter((entry) => !this.#keepsOwnHash(entry.key));
    // A first plan resets every cache, so that CPython computes the hash of each composite key anew.
    const trial = this.#encode(() => false, cached);
    this.#tryOut(trial, testSecrets[0]);
    const changed = new Set(composite.filter((entry) => this.#hash(entry.key) !== entry.hash));
    const dependent = cached.filter((each) => this.#hash(each.object) !== each.hash);
    return this.#encode((entry) => changed.has(entry), dependent);
  }

  /** Every table must be found consistent after the plan has been carried out, and every composite key hash as it stands. */
  check(plan: RehashPlan): void {
    this.#tryOut(plan, testSecrets[1]);
    const after = this.#inspect();
    const same = (["keys", "sets", "textChains", "cTextChains", "notes"] as const).every(
      (part) => after[part].length === this.#found[part].length,
    );
    const entries = [...after.notes, ...[...after.keys, ...after.sets].flatMap((table) => table.entries)];
    if (!same || entries.some((entry) => this.#hash(entry.key) !== entry.hash)) {
      throw new ImageError("IMAGE_BUILD_FAILED", "the snapshot cannot be brought to another hash secret");
    }
  }

  #encode(needsCPython: (entry: Entry) => boolean, resets: readonly CachedHash[]): RehashPlan {
    const { texts, keys, sets, textChains, cTextChains, notes, largestSetBytes } = this.#found;
    const needed = new Set(
      [...keys, ...sets, ...textChains]
        .flatMap((table) => table.entries)
        .concat(notes)
        .map((entry) => entry.key),
    );
    const ascii: number[] = [];
    const buffers: number[] = [];
    const forgotten = resets.map((each) => each.field);
    for (const [address, found] of texts) {
      if (found.bytes === 0) continue;
      const field = address + 4 * contentHash;
      if (!needed.has(address)) forgotten.push(field);
      else if (found.compactAscii && word(this.#memory, address, object.type) === this.#known.str)
        ascii.push(address);
      else buffers.push(field, found.content, found.bytes);
    }
    const isLate = (table: Table): boolean => table.entries.some(needsCPython);
    const depends = (table: Table): boolean =>
      table.entries.some((entry) => needsCPython(entry) || this.#keepsOwnHash(entry.key));
    const early = (tables: readonly Table[]): number[] =>
      tables.filter((table) => depends(table) && !isLate(table)).map((table) => table.address);
    const late: number[] = [];
    const addLate = (tables: readonly Table[], operation: number): void => {
      for (const table of tables.filter(isLate)) {
        for (const { field, key } of table.entries.filter(needsCPython))
          late.push(lateOperation.hash, field ?? 0, key);
        late.push(operation, table.address, 0);
      }
    };
    addLate(sets, lateOperation.set);
    addLate(keys, lateOperation.keys);
    for (const { field, key } of notes.filter(needsCPython)) late.push(lateOperation.hash, field ?? 0, key);
    const copies = notes
      .filter((entry) => this.#keepsOwnHash(entry.key))
      .flatMap(({ field, key }) => [field ?? 0, key + 4 * contentHash]);
    return {
      secret: this.#secret,
      routine: this.#routine,
      program: encodeProgram({
        ascii: this.#inOrder(ascii, (address) => word(this.#memory, address, text.length)),
        buffers,
        resets: forgotten,
        copies,
        keys: this.#inOrder(early(keys), (address) => this.#memory.u8[address + keysLayout.log2Size] ?? 0),
        sets: early(sets),
        textChains: textChains.map((table) => table.address),
        cTextChains: cTextChains.map((table) => table.address),
      }),
      scratchBytes: largestSetBytes,
      late: Uint32Array.from(late),
    };
  }

  /** By size, so that the processor foresees how long each loop is: that halves the time. */
  #inOrder(addresses: readonly number[], size: (address: number) => number): number[] {
    return [...addresses].sort((a, b) => size(a) - size(b) || a - b);
  }

  #keepsOwnHash(key: number): boolean {
    const type = word(this.#memory, key, object.type);
    return type === this.#known.str || type === this.#known.bytes;
  }

  #hash(key: number): number {
    return hashObject(this.#machine, key);
  }

  #tryOut(plan: RehashPlan, secret: Uint8Array | undefined): void {
    this.#restore();
    new Rehash(this.#machine, plan).apply(secret ?? new Uint8Array(hashSecretBytes));
  }

  #restore(): void {
    restoreInPlace(this.#machine, this.#snapshot, (gap) => gap.fill(0));
  }

  #inspect(): Inspection {
    const hash = (content: number, bytes: number): number =>
      this.#machine.python.Py_HashBuffer(content, bytes);
    return inspect({ memory: copyMemory(this.#machine), live: this.#live, known: this.#known, hash });
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
