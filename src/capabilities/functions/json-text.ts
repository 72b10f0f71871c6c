// A text for each value, which two values share if and only if they are the same to JSON Schema. So many values are compared by putting
// their texts in order: each with each would take a blink for ten and an hour for a million, and a Set of what a guest chose can be made
// to, since V8 hashes a bigint by its lowest 64 bits.
import { type CheckWork, integerUnits, sortedTexts } from "./check-work.ts";
import { memberOf, namesOf } from "./json-members.ts";
import { jsonTypesOf } from "./json-types.ts";

const mostDepth = 64;

/** Whether two are the same. Worth nothing when the work is spent. */
export function hasTwice(items: readonly unknown[], work: CheckWork): boolean {
  const writer = new Writer(work);
  const texts = sortedTexts(writer.parts(items, 0), work);
  return texts.some((text, at) => at > 0 && text === texts[at - 1]);
}

class Writer {
  readonly #work: CheckWork;
  /** What JSON does not have is the same as nothing else: each gets a number of its own. */
  #alone = 0;

  constructor(work: CheckWork) {
    this.#work = work;
  }

  parts(items: readonly unknown[], depth: number): string[] {
    const texts: string[] = [];
    for (const item of items) {
      if (this.#work.isSpent) return [];
      texts.push(this.#text(item, depth));
    }
    return texts;
  }

  #text(value: unknown, depth: number): string {
    this.#work.spend(depth > mostDepth ? Number.POSITIVE_INFINITY : 8);
    if (this.#work.isSpent) return "";
    switch (typeof value) {
      case "string":
        return this.#paid(`${value.length}:${value}`);
      case "number":
        return `#${value}`;
      case "bigint":
        return this.#integer(value);
      case "boolean":
        return value ? "t" : "f";
      case "undefined":
        return "u";
      default:
        return value === null ? "n" : this.#container(value, depth + 1);
    }
  }

  /** One that a number holds is that number. */
  #integer(value: bigint): string {
    const number = Number(value);
    if (Number.isFinite(number) && BigInt(number) === value) return `#${number}`;
    // Decimal text would take far longer than the number is long.
    return this.#work.spend(integerUnits(value)) ? this.#paid(`#x${value.toString(16)}`) : "";
  }

  #container(value: unknown, depth: number): string {
    const [type] = jsonTypesOf(value);
    if (Array.isArray(value)) return this.#paid(`[${this.parts(value, depth).join(",")}]`);
    if (type !== "object") return `?${this.#alone++}`;
    const names = namesOf(value as object);
    const members: string[] = [];
    for (const name of names) {
      if (this.#work.isSpent) return "";
      members.push(`${this.#text(name, depth)}=${this.#text(memberOf(value as object, name), depth)}`);
    }
    return this.#paid(`{${sortedTexts(members, this.#work).join(",")}}`);
  }

  /** For the time that a text takes, and for its memory. */
  #paid(text: string): string {
    return this.#work.spend(text.length >>> 2) ? text : "";
  }
}
