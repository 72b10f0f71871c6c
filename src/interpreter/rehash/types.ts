// Which type objects the survey tells apart, from their flags and bases.
import { object, tuple, typeFlag, typeObject } from "./layout.ts";
import { inconsistent, type MemoryView, word } from "./memory-view.ts";

/** Addresses of static types and singletons. */
export interface KnownObjects {
  readonly type: number;
  readonly str: number;
  readonly bytes: number;
  readonly set: number;
  readonly frozenset: number;
  readonly orderedDict: number;
  readonly weakReference: number;
  readonly memoryView: number;
  readonly none: number;
  readonly setDummy: number;
}

export type Kind =
  | "text"
  | "bytes"
  | "tuple"
  | "dict"
  | "orderedDict"
  | "heapType"
  | "set"
  | "frozenset"
  | "weakReference"
  | "memoryView"
  | "date"
  | "cacheLink"
  | "other";

const dateTypes = new Set(["datetime.date", "datetime.time", "datetime.datetime"]);
const longestName = 200;

export class TypeKinds {
  readonly #memory: MemoryView;
  readonly #known: KnownObjects;
  readonly #kinds = new Map<number, Kind>();

  constructor(memory: MemoryView, known: KnownObjects) {
    this.#memory = memory;
    this.#known = known;
  }

  of(address: number): Kind {
    const type = word(this.#memory, address, object.type);
    let kind = this.#kinds.get(type);
    if (kind === undefined) {
      kind = this.#classify(type);
      this.#kinds.set(type, kind);
    }
    return kind;
  }

  #classify(type: number): Kind {
    const memory = this.#memory;
    const known = this.#known;
    const flags = word(memory, type, typeObject.flags);
    const bases = this.#bases(type);
    if (flags & typeFlag.unicode) return "text";
    if (flags & typeFlag.bytes) return "bytes";
    if (flags & typeFlag.tuple) return "tuple";
    if (flags & typeFlag.dict) return bases.includes(known.orderedDict) ? "orderedDict" : "dict";
    if (flags & typeFlag.type) return "heapType";
    if (bases.includes(known.set)) return "set";
    if (bases.includes(known.frozenset)) return "frozenset";
    if (bases.includes(known.weakReference)) return "weakReference";
    if (bases.includes(known.memoryView)) return "memoryView";
    const names = bases.map((base) => this.#name(base));
    if (names.some((name) => dateTypes.has(name))) return "date";
    return names[0] === "functools._lru_list_elem" ? "cacheLink" : "other";
  }

  /** The method resolution order, which begins with the type itself. */
  #bases(type: number): readonly number[] {
    const memory = this.#memory;
    const order = word(memory, type, typeObject.mro);
    const first = (order >>> 2) + tuple.items;
    const bases = [...memory.u32.subarray(first, first + word(memory, order, tuple.length))];
    if (bases[0] !== type) throw inconsistent("a type", type);
    return bases;
  }

  #name(type: number): string {
    const start = word(this.#memory, type, typeObject.name);
    const end = this.#memory.u8.indexOf(0, start);
    return String.fromCharCode(...this.#memory.u8.subarray(start, Math.min(end, start + longestName)));
  }
}
