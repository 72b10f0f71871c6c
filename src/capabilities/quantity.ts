// Sizes and durations as people write them: "128 MiB", "5 s", or a plain number in the unit that the option's page names.
import { OptionError } from "../errors/option-error.ts";

const byteUnits: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
]);
const millisecondUnits: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["ms", 1],
  ["s", 1e3],
  ["min", 60e3],
  ["h", 3600e3],
]);

/**
 * A size or a duration: a number of bytes or milliseconds, or text such as "64 KiB", "1 GB", "250 ms", "5 s", "2 min", "1 h". Not
 * below 0, and whole; text may say a part, such as "1.5 MiB", of which the nearest whole number is meant. Else OptionError is thrown.
 */
export type Quantity = number | string;

/** Bytes: a number of bytes, or "64 KiB", "10 MiB", "1 GB". A non-negative whole number; throws OptionError. */
export function bytes(option: string, value: unknown, range: Range = {}): number {
  return quantity(
    option,
    value,
    byteUnits,
    range,
    'a size in whole bytes, such as 1048576, "64 KiB", "128 MiB"',
  );
}

/** Milliseconds: a number of milliseconds, or "250 ms", "5 s", "2 min". A non-negative whole number; throws OptionError. */
export function milliseconds(option: string, value: unknown, range: Range = {}): number {
  return quantity(
    option,
    value,
    millisecondUnits,
    range,
    'a duration in whole milliseconds, such as 5000, "250 ms", "5 s", "2 min"',
  );
}

/** A plain count; throws OptionError. */
export function count(option: string, value: unknown, range: Range = {}): number {
  return quantity(option, value, new Map([["", 1]]), range, "a whole number");
}

interface Range {
  readonly from?: number;
  readonly to?: number;
}

function quantity(
  option: string,
  value: unknown,
  units: ReadonlyMap<string, number>,
  range: Range,
  form: string,
): number {
  const { from = 0, to = Number.MAX_SAFE_INTEGER } = range;
  const accepted = `${form}${from > 0 || to < Number.MAX_SAFE_INTEGER ? `, from ${from} to ${to}` : ""}`;
  const amount = typeof value === "string" ? parse(value, units) : value;
  if (typeof amount !== "number" || !Number.isSafeInteger(amount) || amount < from || amount > to) {
    throw new OptionError(option, value, accepted);
  }
  return amount;
}

function parse(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = /^\s*(\d{1,15}(?:\.\d{1,9})?)\s*([a-zA-Z]*)\s*$/.exec(text);
  const unit = units.get((match?.[2] ?? "").toLowerCase());
  if (match === null || unit === undefined) return undefined;
  const amount = Number(match[1]) * unit;
  // "0.1 GiB" is no whole number of bytes, and nobody means it to the byte: the nearest one is meant. What is less than one, or a part of
  // what has no unit or the smallest, is refused by the caller.
  return unit === 1 || amount < 1 ? amount : Math.round(amount);
}
