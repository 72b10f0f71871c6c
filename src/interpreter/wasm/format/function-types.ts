// The type section: function types as text such as "(i32,i64)->i32", which is how the rest of this folder, and the
// kernel's table of imports, name and compare them. Equal text means equal types, as `call_indirect` compares them.

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ImageFormatError } from "./image-format-error.ts";

const functionForm = 0x60;
const i32 = 0x7f;

const valueTypeNames = new Map<number, string>([
  [i32, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);

/** The name of the value type that the next byte encodes. */
export function readValueType(reader: ByteReader): string {
  const code = reader.byte("a value type");
  const name = valueTypeNames.get(code);
  if (name === undefined) {
    throw new ImageFormatError(`unknown value type 0x${code.toString(16)} at byte ${reader.offset - 1}`);
  }
  return name;
}

/** The byte that stands for a value type. */
export function valueTypeCode(name: string): number {
  for (const [code, each] of valueTypeNames) if (each === name) return code;
  throw new ImageFormatError(`unknown value type ${name}`);
}

/** The signature of a function of i32 parameters that returns one i32, or nothing ("void"). */
export function i32Signature(parameterCount: number, returns: boolean): string {
  return `(${new Array<string>(parameterCount).fill("i32").join(",")})->${returns ? "i32" : "void"}`;
}

export interface I32Arity {
  readonly parameters: number;
  readonly returns: boolean;
}

/** What `i32Signature` was made of, or undefined of another signature. */
export function i32Arity(signature: string): I32Arity | undefined {
  const parameters = signature.startsWith("()") ? 0 : signature.split(",").length;
  return [true, false]
    .map((returns) => ({ parameters, returns }))
    .find((arity) => i32Signature(arity.parameters, arity.returns) === signature);
}

/** The types of a module, to which types of i32 functions are added when they are asked for and not there. */
export class FunctionTypes {
  readonly #existing: Uint8Array;
  readonly #signatures: string[] = [];
  readonly #added = new ByteWriter();

  /** `section` is the content of a type section. */
  constructor(section: Uint8Array) {
    const reader = new ByteReader(section);
    const count = reader.u32("number of types");
    this.#existing = section.subarray(reader.offset);
    for (let i = 0; i < count; i++) {
      reader.expect(functionForm, "the form of a function type");
      const parameters = readResultType(reader);
      const results = readResultType(reader);
      this.#signatures.push(`(${parameters})->${results === "" ? "void" : results}`);
    }
  }

  signature(typeIndex: number): string {
    const signature = this.#signatures[typeIndex];
    if (signature === undefined) {
      throw new ImageFormatError(`type ${typeIndex}, of a module with ${this.#signatures.length} types`);
    }
    return signature;
  }

  get count(): number {
    return this.#signatures.length;
  }

  resultCount(typeIndex: number): number {
    const results = this.signature(typeIndex).split("->")[1] ?? "";
    return results === "void" ? 0 : results.split(",").length;
  }

  parameterCount(typeIndex: number): number {
    const [parameters = ""] = this.signature(typeIndex).slice(1).split(")");
    return parameters === "" ? 0 : parameters.split(",").length;
  }

  /** The index of the type that `i32Signature` describes. */
  i32TypeIndex(parameterCount: number, returns: boolean): number {
    const signature = i32Signature(parameterCount, returns);
    const found = this.#signatures.indexOf(signature);
    if (found >= 0) return found;
    this.#added.byte(functionForm);
    this.#added.sized(new Uint8Array(parameterCount).fill(i32));
    this.#added.sized(new Uint8Array(returns ? 1 : 0).fill(i32));
    return this.#signatures.push(signature) - 1;
  }

  /** The content of a type section with the added types at its end. */
  finish(): Uint8Array {
    const out = new ByteWriter(this.#existing.length + this.#added.length + 5);
    out.u32(this.#signatures.length);
    out.bytes(this.#existing);
    out.bytes(this.#added.finish());
    return out.finish();
  }
}

function readResultType(reader: ByteReader): string {
  const names: string[] = [];
  const count = reader.u32("number of values");
  for (let i = 0; i < count; i++) names.push(readValueType(reader));
  return names.join(",");
}
