// A guest that can write anywhere in its memory (ctypes is granted) tries to keep something for the next one: it forges the notes of
// which pages it has written, has the host forge them, or writes where nothing is noted.
import { Pool, SandboxLostError } from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const isolations = ["inline", "worker"] as const;

describe.each(isolations)("notes, %s", (isolation) => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await Pool.create({ isolation, size: 1, modules: ["_ctypes"], programs: "short" });
  }, 120_000);
  afterAll(() => pool.close({ grace: 0 }));

  /** Where the notes begin, and their number, in a memory of that size. */
  async function table() {
    await using sandbox = await pool.checkout();
    const { usage } = await sandbox.run("1");
    const pages = Math.floor((usage.memoryBytes - 1024) / 4097);
    return { start: usage.memoryBytes - pages, pages };
  }

  async function attack(source: string, inputs: Readonly<Record<string, number>> = {}) {
    await using sandbox = await pool.checkout();
    return await sandbox.run(`import ctypes\n${source}`, { inputs }).then(
      ({ value }) => value,
      (error: unknown) => error,
    );
  }

  /** Changes a constant of the library where it stands. */
  const plant = `
import os, keyword
place = id(os.linesep) + 20
assert ctypes.string_at(place, 1) == b"\\n"
ctypes.memmove(place, b"!", 1)
assert os.linesep == "!"
`;
  async function expectPristine() {
    await using sandbox = await pool.checkout();
    const { value } = await sandbox.run("import os, sys\n[os.linesep, 'ctypes' in sys.modules]");
    expect(value).toEqual(["\n", false]);
  }

  test("what was planted is gone", async () => {
    expect(await attack(`${plant}\nos.linesep`)).toBe("!");
    await expectPristine();
  });

  test.each([
    ["filled", "ctypes.memset(start, 0, pages)"],
    ["copied over", "ctypes.memmove(start, bytes(pages), pages)"],
    ["stored to", "for page in range(pages): ctypes.c_char.from_address(start + page).value = 0"],
    [
      "stored to, from the end",
      "for page in reversed(range(pages)): ctypes.c_char.from_address(start + page).value = 0",
    ],
    ["filled from the page before", "ctypes.memset(start - 2000, 0, pages)"],
  ])("notes that are %s end the sandbox", async (_name, code) => {
    const found = await attack(`${plant}\n${code}`, await table());
    expect(found).toBeInstanceOf(SandboxLostError);
    await expectPristine();
  });

  test("the host does not write into them for the guest", async () => {
    const code = `${plant}
library = ctypes.CDLL(None, use_errno=True)
refused = []
for address in (start, start + pages - 16, start - 8):
    refused.append([library.getentropy(ctypes.c_void_p(address), 16), ctypes.get_errno()])
refused`;
    const fault = [-1, 21];
    expect(await attack(code, await table())).toEqual([fault, fault, fault]);
    await expectPristine();
  });

  test("what a callback's code writes is restored with the rest", async () => {
    const code = `
kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_longlong, ctypes.c_double, ctypes.c_longlong)
back = kind(lambda *values: len(values))
assert back(1, 2.0, 3) == 3
${plant}
os.linesep`;
    expect(await attack(code)).toBe("!");
    await expectPristine();
  });

  test("notes mean nothing in a memory that has grown", async () => {
    const code = `${plant}
more = bytearray(8 << 20)
ctypes.memset(start, 0, pages)
os.linesep`;
    expect(await attack(code, await table())).toBe("!");
    await expectPristine();
  });
});
