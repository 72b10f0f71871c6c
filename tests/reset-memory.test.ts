// After a reset nothing of the earlier run is left in the machine itself: the guest that looks has all of its memory to read, and
// the function table to try.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostFile, Sandbox, scratch } from "sandboa";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-reset-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const marker = "zq-planted-by-the-run-before";

/** The marker goes wherever a run can put it; the mark of the last line shows that a dump would find it. */
const plant = `
import atexit, ctypes, gc, os, re, signal, sys
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p; libc.malloc.argtypes = [ctypes.c_size_t]
for size in sizes:
    place = libc.malloc(size); ctypes.memset(place, 0x41, size); ctypes.memmove(place, mark.encode(), len(mark))
    if size < 10**6: libc.free(place)
os.environ["PLANTED"] = mark
os.mkdir("/tmp/" + mark); os.chdir("/tmp/" + mark); open(mark, "w").write(mark * 1000)
sys.intern(mark); re.compile(mark); setattr(sys, mark, mark); sys.path.append(mark); atexit.register(print, mark)
def deep(n): return deep(n - 1) + mark if n else mark
deep(500)
names = [mark + str(i) for i in range(10_000)]; wide = [mark + chr(0x1f40d), mark + chr(0x3b1)]
callback = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 77); place = ctypes.cast(callback, ctypes.c_void_p).value
ctypes.c_int.in_dll(ctypes.pythonapi, "Py_OptimizeFlag").value = 7
sys.stdout.write(mark)
place`;

const look = `
import ctypes, sandboa
size = sandboa.usage()["memory"].used
with open(dump, "xb") as out: out.write((ctypes.c_char * (size - 1024)).from_address(1024))
ctypes.c_int.in_dll(ctypes.pythonapi, "Py_OptimizeFlag").value`;

function found(name: string): boolean {
  const bytes = readFileSync(join(folder, name));
  const words = Uint32Array.from([...marker].map((letter) => letter.charCodeAt(0)));
  const forms = [Buffer.from(marker), Buffer.from(marker, "utf16le"), Buffer.from(words.buffer)];
  return forms.some((form) => bytes.includes(form));
}

test.each([
  ["restored in place", false, [100, 5_000, 200_000]],
  ["replaced, since its memory has grown", true, [100, 5_000, 200_000, 30_000_000]],
])(
  "memory, static data, files and the function table are as in a new machine: %s",
  async (_way, grows, sizes) => {
    const names = ["planted", "first", "second"].map((name) => `${name}-${sizes.length}`);
    await using sandbox = await Sandbox.create({
      files: {
        "/tmp": scratch({ bytes: "4 MiB" }),
        ...Object.fromEntries(names.map((name) => [`/${name}`, hostFile(join(folder, name), "create")])),
      },
      modules: ["_ctypes"],
      limits: { wall: "30 s" },
    });
    const pristine = (await sandbox.run("1")).usage.memoryBytes;
    for (const name of names) {
      const planted = await sandbox.run(plant, { inputs: { mark: marker, sizes } });
      expect(planted.usage.memoryBytes > pristine).toBe(grows);
      if (name === names[0]) {
        expect((await sandbox.run(look, { inputs: { dump: `/${name}` } })).value).toBe(7);
        expect(found(name)).toBe(true);
      }
      await sandbox.reset();
      if (name !== names[0]) {
        const looked = await sandbox.run(look, { inputs: { dump: `/${name}` } });
        expect(looked).toMatchObject({ value: 0, stdout: "" });
        expect(found(name)).toBe(false);
        const again = sandbox.run(`import ctypes; ctypes.CFUNCTYPE(ctypes.c_int)(${planted.value})()`);
        await expect(again).rejects.toMatchObject({ code: "SANDBOX_CRASHED" });
        await sandbox.reset();
      }
    }
  },
);
