// Programs that call the host, behind each wall. Where nothing else is said each wall answers the same. The oracle for what a call does in
// Python is CPython's reference: calls, coroutines, iterators, asyncio.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Guest, guestWith, walls } from "./functions-fixture.ts";
import { grants, programs } from "./functions-programs.ts";

describe.each(walls)("%s", (isolation) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await guestWith(isolation, grants);
  });
  afterAll(async () => {
    await guest[Symbol.asyncDispose]();
  });

  for (const [what, source, value, inline] of programs) {
    test(what, async () => {
      const expected = isolation === "inline" && inline !== undefined ? inline : value;
      expect(await guest.run(source)).toEqual(expected);
    });
  }
});
