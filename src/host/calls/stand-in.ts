// Stands in for what is made elsewhere at the same time: values with records, and GuestException. Deleted when they are here.
import { MarshalFormatError } from "../../interpreter/marshal/decode.ts";
import { MarshalSink } from "../../interpreter/marshal/sink.ts";
import { tag } from "../../interpreter/marshal/tags.ts";
import { OpaqueValue } from "../../interpreter/marshal/values.ts";

export class GuestException extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
  get qualifiedType(): string {
    return this.type.endsWith("Error") && !this.type.startsWith("My") ? this.type : `host.${this.type}`;
  }
}

export interface EncodeValueOptions {
  readonly maxBytes: number;
  readonly root?: string;
  readonly references?: "refuse" | "keep";
  readonly lend?: (value: object) => readonly unknown[] | undefined;
}

export interface DecodeValueOptions {
  readonly records: boolean;
  readonly shape: "maps" | "objects" | "json";
  readonly references: "refuse" | "keep";
  readonly exactFloats: boolean;
  readonly nowMs: () => number;
  readonly maxItems: number;
  readonly borrow?: (fields: readonly unknown[]) => unknown;
}

export function encodeValue(
  value: unknown,
  options: EncodeValueOptions,
): { bytes: Uint8Array; records: boolean } {
  const sink = new MarshalSink(options.maxBytes, () => new TypeError("size"));
  let records = false;
  const write = (item: unknown, depth: number): void => {
    if (depth > 100) throw new TypeError("deep");
    if (item === null || item === undefined) return sink.byte(tag.NONE);
    if (typeof item === "boolean") return sink.byte(item ? tag.TRUE : tag.FALSE);
    if (typeof item === "string") return sink.text(item, false);
    if (typeof item === "number") {
      if (Number.isInteger(item) && (item | 0) === item && !Object.is(item, -0))
        return sink.sized(tag.INT, item);
      return sink.double(tag.FLOAT, item);
    }
    if (typeof item !== "object" && typeof item !== "function") throw new TypeError("kind");
    const fields = options.lend?.(item);
    if (fields !== undefined) {
      records = true;
      sink.byte(tag.SMALL_TUPLE);
      sink.byte(fields.length + 1);
      sink.byte(tag.ELLIPSIS);
      for (const field of fields) write(field, depth + 1);
    } else if (item instanceof Uint8Array) sink.bytes(item);
    else if (Array.isArray(item)) {
      sink.sized(tag.LIST, item.length);
      for (const one of item) write(one, depth + 1);
    } else if (Object.getPrototypeOf(item) === Object.prototype || Object.getPrototypeOf(item) === null) {
      sink.byte(tag.DICT);
      for (const [key, one] of Object.entries(item)) {
        sink.text(key, true);
        write(one, depth + 1);
      }
      sink.byte(tag.NULL);
    } else throw new TypeError("object");
  };
  write(value, 0);
  return { bytes: sink.finish(), records };
}

export function decodeValue(bytes: Uint8Array, options: DecodeValueOptions): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refs: unknown[] = [];
  let at = 0;
  let items = 0;
  const fail = (): never => {
    throw new MarshalFormatError("bad");
  };
  const take = (count: number): number => {
    if (count < 0 || count > bytes.length - at) fail();
    at += count;
    return at - count;
  };
  const ascii = (size: number): string => {
    const start = take(size);
    return new TextDecoder().decode(bytes.slice(start, start + size));
  };
  const list = (count: number, depth: number): unknown[] => {
    const found: unknown[] = [];
    for (let index = 0; index < count; index++) found.push(read(depth + 1));
    return found;
  };
  const read = (depth: number): unknown => {
    if (depth > 100 || ++items > options.maxItems) fail();
    const code = bytes[take(1)] ?? 0;
    const kind = code & 0x7f;
    const slot =
      code & 0x80 && ![tag.NONE, tag.TRUE, tag.FALSE].includes(kind as never) ? refs.push(undefined) : 0;
    const value = typed(kind, depth);
    if (slot > 0) refs[slot - 1] = value;
    return value;
  };
  const typed = (kind: number, depth: number): unknown => {
    switch (kind) {
      case tag.NONE:
        return null;
      case tag.TRUE:
        return true;
      case tag.FALSE:
        return false;
      case tag.ELLIPSIS:
        return new OpaqueValue("ellipsis", "Ellipsis");
      case tag.INT:
        return view.getInt32(take(4), true);
      case tag.FLOAT:
        return view.getFloat64(take(8), true);
      case tag.SHORT_ASCII:
      case tag.SHORT_ASCII_INTERNED:
        return ascii(bytes[take(1)] ?? 0);
      case tag.ASCII:
      case tag.ASCII_INTERNED:
      case tag.UNICODE:
      case tag.INTERNED:
        return ascii(view.getInt32(take(4), true));
      case tag.BYTES: {
        const size = view.getInt32(take(4), true);
        const start = take(size);
        return bytes.slice(start, start + size);
      }
      case tag.LIST:
        return list(view.getInt32(take(4), true), depth);
      case tag.SMALL_TUPLE: {
        const count = bytes[take(1)] ?? 0;
        if (options.records && count > 1 && ((bytes[at] ?? 0) & 0x7f) === tag.ELLIPSIS) {
          read(depth + 1);
          const fields = list(count - 1, depth);
          if (fields[0] === "ellipsis") return new OpaqueValue("ellipsis", "Ellipsis");
          const value = fields[0] === "tuple" ? fields[1] : options.borrow?.(fields);
          return value === undefined ? fail() : value;
        }
        return list(count, depth);
      }
      case tag.DICT: {
        const dict = new Map<unknown, unknown>();
        while (((bytes[at] ?? 0) & 0x7f) !== tag.NULL) dict.set(read(depth + 1), read(depth + 1));
        at += 1;
        if (options.shape === "maps" || [...dict.keys()].some((key) => typeof key !== "string")) return dict;
        const object = Object.create(null);
        for (const [key, value] of dict) object[key as string] = value;
        return object;
      }
      case tag.REF: {
        const value = refs[view.getUint32(take(4), true)];
        return value === undefined ? fail() : value;
      }
      default:
        return fail();
    }
  };
  const value = read(0);
  if (at !== bytes.length) fail();
  return value;
}
