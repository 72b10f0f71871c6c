// Kinds of objects: of this realm and of another one, and what only calls itself so.
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import {
  containerKind,
  isArrayBuffer,
  isBytes,
  isDate,
  isError,
  isMap,
  isPlainObject,
  isRecord,
  isSet,
} from "./object-kinds.ts";

const tests = {
  containerKind,
  isMap,
  isSet,
  isDate,
  isArrayBuffer,
  isBytes,
  isError,
  isPlainObject,
  isRecord,
};

/** The tests that say yes, and the kind of container. */
function kindsOf(value: object): string[] {
  return Object.entries(tests).flatMap(([name, test]) => {
    const answer = test(value);
    return typeof answer === "string" ? [answer] : answer === true ? [name] : [];
  });
}

test.each<[source: string, kinds: readonly string[]]>([
  ["({ a: 1 })", ["object", "isPlainObject", "isRecord"]],
  ["Object.create(null)", ["object", "isPlainObject", "isRecord"]],
  ["[1]", ["list"]],
  ["new Map([[1, 2]])", ["map", "isMap"]],
  ["new (class extends Map {})()", ["map", "isMap"]],
  ["new Set([1])", ["set", "isSet"]],
  ["new Date(0)", ["isDate"]],
  ["new ArrayBuffer(1)", ["isArrayBuffer"]],
  ["new Uint8Array(1)", ["isBytes"]],
  ["new Uint16Array(1)", []],
  ["new DataView(new ArrayBuffer(1))", []],
  ["new TypeError('x')", ["isError"]],
  ["Promise.resolve()", []],
  ["new (class Point { x = 1 })()", ["isRecord"]],
  ["new (class Nothing { static { Object.setPrototypeOf(this.prototype, null) } })()", ["isRecord"]],
  ["Object.create({ a: 1 })", ["isRecord"]],
  ["Object.create(Object.create(null))", ["isRecord"]],
  ["new (class { get [Symbol.toStringTag]() { return 'Map' } })()", ["isRecord"]],
  ["new (class { get [Symbol.toStringTag]() { return 'Set' } })()", ["isRecord"]],
  ["new (class { get [Symbol.toStringTag]() { return 'Date' } })()", ["isRecord"]],
  ["new (class { get [Symbol.toStringTag]() { return 'Uint8Array' } })()", ["isRecord"]],
  ["({ [Symbol.toStringTag]: 'Map', size: 1 })", ["object", "isPlainObject", "isRecord"]],
])("%s here and elsewhere", (source, kinds) => {
  expect(kindsOf(new Function(`return ${source}`)() as object)).toEqual(kinds);
  expect(kindsOf(runInNewContext(source) as object)).toEqual(kinds);
});
