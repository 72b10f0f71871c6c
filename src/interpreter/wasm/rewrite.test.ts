// Each transformation, and each refusal, on a module that is the real image in miniature.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assemble, customSection, interpreterLike, type SmallModule } from "./format/assemble-for-tests.ts";
import { readGlobalSection } from "./format/global-section.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import { openSection, readSections, sectionId } from "./format/sections.ts";
import { type RewriteOptions, rewriteImage } from "./rewrite.ts";

const options: RewriteOptions = {
  exports: ["memory", "__indirect_function_table", "__stack_pointer", "readGot", "geteuid"],
  memoryMaximumPages: 3,
};

function rewrite(change: (small: SmallModule) => void = () => {}, changed: Partial<RewriteOptions> = {}) {
  const module = interpreterLike();
  change(module);
  return rewriteImage(assemble(module), { ...options, ...changed });
}

interface SmallExports {
  memory: WebAssembly.Memory;
  __stack_pointer: WebAssembly.Global;
  readGot(): number;
  sole(): number;
  geteuid(): number;
  threadsafe(): number;
}

function instantiate(wasm: Uint8Array) {
  const module = new WebAssembly.Module(wasm as BufferSource);
  const instance = new WebAssembly.Instance(module, { env: { _PyEM_TrampolineCall_JS: () => 0 } });
  return instance.exports as unknown as SmallExports;
}

test("the miniature itself is a valid module", () => {
  expect(WebAssembly.validate(assemble(interpreterLike()) as BufferSource)).toBe(true);
});

test("the full form has the data, the lean form none", () => {
  const { full, lean } = rewrite();
  const greeting = (wasm: Uint8Array) =>
    String.fromCharCode(...new Uint8Array(instantiate(wasm).memory.buffer, 16, 2));
  expect(greeting(full)).toBe("hi");
  expect(greeting(lean)).toBe("\0\0");
  const fullSections = readSections(full);
  expect(fullSections.get(sectionId.dataCount)).toEqual(Uint8Array.of(1));
  for (const id of [sectionId.dataCount, sectionId.data]) fullSections.set(id, Uint8Array.of(0));
  expect(readSections(lean)).toEqual(fullSections);
});

test("custom sections are in neither form", () => {
  const wasm = Uint8Array.from([...assemble(interpreterLike()), ...customSection]);
  const { full, lean } = rewriteImage(wasm, options);
  expect({ full, lean }).toEqual((({ full, lean }) => ({ full, lean }))(rewrite()));
});

test("exports are the ones asked for, in that order, then the hidden globals", () => {
  const { full, hiddenGlobals } = rewrite();
  expect(hiddenGlobals).toEqual(["sandboa.global.0", "sandboa.global.1"]);
  expect(Object.keys(instantiate(full))).toEqual([...options.exports, ...hiddenGlobals]);
});

test("hidden globals are the mutable ones that nothing else reaches, and can be set", () => {
  const value = (exports: SmallExports, name: string) =>
    (exports as unknown as Record<string, WebAssembly.Global>)[name] as WebAssembly.Global;
  const exports = instantiate(rewrite().lean);
  expect(value(exports, "__stack_pointer").value).toBe(-28);
  expect(value(exports, "sandboa.global.0").value).toBe(5);
  expect(value(exports, "sandboa.global.1").value).toBe(6);
  value(exports, "sandboa.global.1").value = 77;
  expect(value(exports, "sandboa.global.1").value).toBe(77);

  const without = rewrite(undefined, { exports: ["memory"] });
  expect(without.hiddenGlobals).toEqual(["sandboa.global.0", "sandboa.global.1", "sandboa.global.2"]);
  expect(value(instantiate(without.lean), "sandboa.global.0").value).toBe(-28);
});

test("imported globals are defined: zero, and every other global keeps its index", () => {
  const { full } = rewrite();
  expect(WebAssembly.Module.imports(new WebAssembly.Module(full as BufferSource))).toEqual([
    { module: "env", name: "_PyEM_TrampolineCall_JS", kind: "function" },
  ]);
  expect(instantiate(full).readGot()).toBe(0);
  const globals = readGlobalSection(openSection(readSections(full), sectionId.global)).entries;
  const zero = { valueType: "i32", mutable: false, i32: 0 };
  expect(globals.slice(0, 3)).toMatchObject([zero, zero, { valueType: "i32", mutable: true, i32: -28 }]);
});

test("a module without GOT imports needs no change there", () => {
  const exports = ["memory", "__stack_pointer"];
  const { full } = rewrite(
    (small) => {
      small.imports = small.imports.filter((entry) => entry.function !== undefined);
      small.functions.pop();
      small.exports = small.exports
        .filter((entry) => entry.name !== "readGot")
        .map((entry) => (entry.kind === "global" ? { ...entry, index: entry.index - 2 } : entry));
    },
    { exports },
  );
  expect(instantiate(full).__stack_pointer.value).toBe(-28);
});

test("symbols are all exported constant i32 globals, as addresses", () => {
  expect([...rewrite().symbols]).toEqual([["PyExc_Last", 2 ** 32 - 1]]);
});

test("the declared maximum holds", () => {
  const memory = instantiate(rewrite().full).memory;
  expect(memory.grow(2)).toBe(1);
  expect(() => memory.grow(1)).toThrow(RangeError);
});

test("a maximum that the module declares is replaced", () => {
  const { full } = rewrite((small) => {
    small.memory = [1, 1, 1, 2];
  });
  expect(Array.from(readSections(full).get(sectionId.memory) ?? [])).toEqual([1, 1, 1, 3]);
});

describe("refused", () => {
  const cases: [string, RegExp, (small: SmallModule) => void, Partial<RewriteOptions>?][] = [
    ["an unknown export", /does not export nothing/, () => {}, { exports: ["nothing"] }],
    ["an export asked for twice", /memory is asked for twice/, () => {}, { exports: ["memory", "memory"] }],
    [
      "a memory that does not fit",
      /needs 1 pages of memory, more than 0/,
      () => {},
      { memoryMaximumPages: 0 },
    ],
    [
      "two memories",
      /expected one memory, found 2/,
      (small) => {
        small.memory = [2, 0, 1, 0, 1];
      },
    ],
    [
      "a shared memory",
      /flags 3/,
      (small) => {
        small.memory = [1, 3, 1, 2];
      },
    ],
    [
      "no trampoline import",
      /does not import env._PyEM_TrampolineCall_JS/,
      (small) => {
        small.imports[1] = { module: "env", name: "other", function: 0 };
      },
    ],
    [
      "a trampoline import of another type",
      /expected \(i32,i32,i32,i32\)->i32/,
      (small) => {
        small.imports[1] = { module: "env", name: "_PyEM_TrampolineCall_JS", function: 7 };
      },
    ],
    [
      "a trampoline that nobody calls",
      /expected one call .*found 0/,
      (small) => {
        small.functions[0] = { type: 0, code: [0x41, 0] };
      },
    ],
    [
      "a trampoline in two copies",
      /expected one call .*found 2/,
      (small) => {
        small.functions[5] = { type: 0, code: [0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x10, 0] };
      },
    ],
    [
      "a trampoline that changes the order",
      /does not pass on its own parameters/,
      (small) => {
        small.functions[0] = { type: 0, code: [0x20, 1, 0x20, 0, 0x20, 2, 0x20, 3, 0x10, 0] };
      },
    ],
    [
      "a trampoline of another type",
      /its caller is \(i32,i32,i32\)->i32/,
      (small) => {
        small.functions[0] = { type: 7, code: [0x20, 0, 0x20, 1, 0x20, 2, 0x41, 0, 0x10, 0] };
      },
    ],
    [
      "no function table",
      /does not export __indirect_function_table/,
      (small) => {
        small.exports = small.exports.filter((entry) => entry.kind !== "table");
      },
      { exports: ["memory"] },
    ],
    [
      "memory.init",
      /memory.init or data.drop/,
      (small) => {
        small.functions[1] = { type: 6, code: [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 8, 0, 0, 0x41, 0] };
      },
    ],
    [
      "data.drop",
      /memory.init or data.drop/,
      (small) => {
        small.functions[1] = { type: 6, code: [0xfc, 9, 0, 0x41, 0] };
      },
    ],
    [
      "code that writes an imported global",
      /writes the imported global 1/,
      (small) => {
        small.functions[1] = { type: 6, code: [0x41, 0, 0x24, 1, 0x41, 0] };
      },
    ],
    [
      "an imported global that is not of the GOT",
      /found env.other/,
      (small) => {
        small.imports[0] = { module: "env", name: "other", global: { type: "i32", mutable: true } };
      },
    ],
    [
      "an imported global that is constant",
      /found GOT.func.glFirst/,
      (small) => {
        small.imports[0] = { module: "GOT.func", name: "glFirst", global: { type: "i32", mutable: false } };
      },
    ],
    [
      "an instruction that the body's end cuts",
      /ends within an instruction/,
      (small) => {
        small.functions[1] = { type: 6, code: [0x41, 0, 0x20] };
      },
    ],
  ];

  test.each(cases)("%s", (_, message, change, changed) => {
    const attempt = () => rewrite(change, changed);
    expect(attempt).toThrow(ImageFormatError);
    expect(attempt).toThrow(message);
  });

  test("bytes like a call of the trampoline inside a constant are not one", () => {
    expect(() =>
      rewrite((small) => {
        small.functions[1] = { type: 6, code: [0x44, 0x10, 0, 0x10, 0, 0x10, 0, 0x10, 0, 0x1a, 0x41, 0] };
      }),
    ).not.toThrow();
  });

  test("a memory beyond 32-bit addresses", () => {
    expect(() => rewrite(undefined, { memoryMaximumPages: 65_537 })).toThrow(RangeError);
  });

  test("a file cut short anywhere before its data", () => {
    const wasm = assemble(interpreterLike());
    const dataBytes = interpreterLike().data.length + 2;
    for (let length = 0; length < wasm.length - dataBytes; length++) {
      expect(() => rewriteImage(wasm.subarray(0, length), options), `${length} bytes`).toThrow(
        ImageFormatError,
      );
    }
  });

  test("damage is an ImageFormatError or goes unnoticed, never another error", () => {
    const wasm = assemble(interpreterLike());
    fc.assert(
      fc.property(fc.nat({ max: wasm.length - 1 }), fc.nat({ max: 255 }), (offset, byte) => {
        const damaged = wasm.slice();
        damaged[offset] = byte;
        try {
          rewriteImage(damaged, options);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageFormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
