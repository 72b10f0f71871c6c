// Datetimes of Python's that become Dates: where the schema says so, and within bounds whatever the value is.
import { expect, test } from "vitest";
import { inLibraryKinds } from "./library-kinds.ts";

class Moment {
  toDate(): Date {
    return new Date(0);
  }
}

test("dates are changed in a copy, and what has none is the same object", () => {
  const schema = { type: "array", items: { anyOf: [{ format: "date-time" }, { $ref: "#" }] } };
  const value = [1, new Moment(), [2]];
  expect(inLibraryKinds(value, { type: "array", items: { format: "date-time" } })).toEqual([
    1,
    new Date(0),
    [2],
  ]);
  expect(value[1]).toBeInstanceOf(Moment);
  const plain = [1, [2]];
  expect(inLibraryKinds(plain, schema)).toBe(plain);
});

test("a list that contains itself many times is gone through within bounds", () => {
  let looks = 0;
  const items: unknown[] = [];
  const list: unknown[] = new Proxy(items, {
    get(target, name) {
      looks += 1;
      if (looks > 2 ** 25) throw new Error("too many looks");
      return Reflect.get(target, name);
    },
  });
  items.push(...Array(300).fill(list));
  expect(inLibraryKinds(list, { type: "array", items: { $ref: "#" } })).toBe(list);
});
