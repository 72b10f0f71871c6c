// Stub text and the names of grants: whatever is described, native Python parses it, and sees in it what was granted and nothing else.
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { OptionError } from "../../errors/option-error.ts";
import { hostFile } from "../files.ts";
import type { FunctionGrants } from "./function-capability.ts";
import { python } from "./function-fixture.ts";
import { checkFunctions } from "./grants-option.ts";
import { hostFunction } from "./host-function.ts";
import { hostObject } from "./host-object.ts";
import { type DescribedFile, stubText } from "./stub-text.ts";

class Store {
  size = 1;
  get(key: string): string {
    return key;
  }
}

const store = hostObject(new Store(), {
  description: "What is kept.",
  methods: { get: { input: z.object({ self: z.string() }), returns: "str" } },
  attributes: { size: { annotation: "int", description: "How many." } },
});

const grants: FunctionGrants = {
  lookup: hostFunction({
    description: "Looks up a row.",
    input: z.object({
      id: z.string().describe("which one"),
      since: z.date().optional().describe("only newer ones;\nall if left out"),
    }),
    returns: "dict[str, Any] | None",
    execute: async () => null,
  }),
  ticks: hostFunction({ execute: function* () {}, returns: "int" }),
  billing: {
    invoice: hostFunction((..._: number[]) => 1, { returns: 'Literal["ok"]' }),
    feed: hostFunction({ execute: async function* () {}, returns: "str" }),
    deep: { store, again: store },
  },
};

const stubs = (given: FunctionGrants, files?: readonly DescribedFile[]): string =>
  stubText(checkFunctions(given).groups, files);

test("modules, docstrings, streams, classes, imports and files", () => {
  const files = [{ path: "/in/sales.csv", description: "read" }];
  expect(stubs(grants, files)).toBe(`# host
# async def: awaited in async code; anywhere else it is called without await, and waits.
import datetime
from typing import Any, Iterator

async def lookup(id: str, since: datetime.datetime = ...) -> dict[str, Any] | None:
    """Looks up a row.

    id: which one
    since: only newer ones;
        all if left out
    """

def ticks() -> Iterator[int]: ...

# host.billing
from typing import Any, AsyncIterator, Literal

def invoice(*args: Any) -> Literal["ok"]: ...

def feed() -> AsyncIterator[str]: ...

# host.billing.deep

class Store:
    """What is kept."""
    @property
    def size(self) -> int:
        """How many."""
    def get(_self, self: str) -> str: ...

store: Store

again: Store

# Files that can be opened
#   /in/sales.csv: read
`);
  expect(stubs({})).toBe("# Nothing of the host can be called or opened.\n");
});

/** Names, annotations and docstrings that Python finds; functions of classes, too. */
const found = (texts: readonly string[]): unknown =>
  python(
    `
import ast
def tell(text):
    tree = ast.parse(text)
    return [[node.name, ast.get_docstring(node)] for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))] + [
            ["=", type(node).__name__] for node in tree.body
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.AnnAssign))]
print(json.dumps([tell(text) for text in given]))
`,
    texts,
  );

test("whatever a description says stays one docstring, and whatever a file is called one comment", () => {
  const nasty = [
    '"""',
    '\\"""',
    '""""""',
    "\\",
    'a"',
    '"a',
    'x\n"""\nimport os',
    "\0",
    "\r\n\r",
    "\u2028",
    "\ud800",
    "'''",
    "\\N{x}",
    " \t\f\v",
    "# \\\n",
  ];
  const text = fc
    .array(fc.oneof(fc.constantFrom(...nasty), fc.string()), { maxLength: 6 })
    .map((parts) => parts.join(""));
  const texts: string[] = [];
  const names: unknown[] = [];
  fc.assert(
    fc.property(text, text, (one, other) => {
      const described = hostFunction({
        description: one,
        input: z.object({ id: z.string().describe(other) }),
        execute: () => 1,
      });
      const object = hostObject(new Store(), {
        description: one,
        attributes: { size: { description: other } },
        methods: ["get"],
      });
      texts.push(stubs({ f: described, s: object }, [{ path: `/${one}`, description: other }]));
      names.push(["f", "Store", "size", "get"]);
    }),
    { numRuns: 300 },
  );
  const all = found(texts) as [string, string | null][][];
  expect(all.map((one) => one.map(([name]) => name))).toEqual(names);
});

test("docstrings say what was said", () => {
  const said = ["a", 'ends in "', "back\\slash", "two\nlines", 'three """ quotes'];
  const texts = said.map((description) => stubs({ f: hostFunction({ description, execute: () => 1 }) }));
  expect(found(texts)).toEqual(said.map((text) => [["f", text]]));
});

test("defaults are literals that Python reads as what they are", () => {
  const values = [
    null,
    true,
    false,
    0,
    -0,
    1.5,
    -3,
    1e21,
    "é\n\"'\\\u2028\u007f",
    [1, ["x"]],
    { a: { "b c": null } },
    "\ud800",
  ];
  const properties = Object.fromEntries(values.map((value, at) => [`p${at}`, { default: value }]));
  const capability = hostFunction({ parameters: { type: "object", properties }, execute: () => 1 });
  const texts = capability.signature.parameters.map(({ defaultText }) => defaultText);
  // As Python's own JSON reads them.
  expect(
    python("import ast\nprint(json.dumps([repr(ast.literal_eval(a)) == repr(b) for a, b in given]))", [
      ...values
        .map((value, at) => [texts[at], Object.is(value, -0) ? "" : value])
        .filter(([text]) => text !== "-0.0"),
    ]),
  ).toEqual(values.filter((value) => !Object.is(value, -0)).map((value) => value !== 1e21 || true));
  expect(texts[4]).toBe("-0.0");
});

test("grants by their full names", () => {
  expect([...checkFunctions(grants).byName.keys()]).toEqual([
    "lookup",
    "ticks",
    "billing.invoice",
    "billing.feed",
    "billing.deep.store",
    "billing.deep.again",
  ]);
  expect([...checkFunctions(undefined).byName]).toEqual([]);
});

test("bad grants are named", () => {
  const f = hostFunction({ execute: () => 1 });
  const option = (bad: unknown): string => {
    try {
      checkFunctions(bad as FunctionGrants);
    } catch (error) {
      if (error instanceof OptionError) return error.option;
      throw error;
    }
    return "accepted";
  };
  const nested = (levels: number): unknown => (levels === 0 ? { f } : { g: nested(levels - 1) });
  const cyclic: Record<string, unknown> = {};
  cyclic.g = cyclic;
  const parameter = { name: "a", annotation: "int", kind: "ordinary", isOptional: false };
  const signed = (...parameters: object[]): object => ({ ...f, signature: { ...f.signature, parameters } });
  const bad: [unknown, string][] = [
    [{ HostError: f }, "functions.HostError"],
    [{ billing: { HostError: f } }, "accepted"],
    [{ _f: f }, "functions._f"],
    [{ billing: { class: f } }, "functions.billing.class"],
    [{ "a.b": f }, "functions.a.b"],
    [{ billing: { invoice: () => 1 } }, "functions.billing.invoice"],
    [{ billing: null }, "functions.billing"],
    [{ file: hostFile("/etc/passwd", "read") }, "functions.file"],
    [{ map: new Map() }, "functions.map"],
    [[f], "functions"],
    [nested(7), "accepted"],
    [nested(8), "functions.g.g.g.g.g.g.g.g"],
    [cyclic, "functions.g.g.g.g.g.g.g.g"],
    [Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`f${at}`, f])), "functions"],
    [{ f: signed({ ...parameter, name: "1" }) }, "functions.f parameters"],
    [{ f: signed(parameter, parameter) }, "functions.f parameters"],
    [{ f: signed({ ...parameter, annotation: "int = 3" }) }, "functions.f parameters a"],
    [
      { f: signed({ ...parameter, kind: "keywords" }, { ...parameter, name: "b" }) },
      "functions.f parameters b",
    ],
    [
      { f: signed({ ...parameter, isOptional: true }, { ...parameter, name: "b" }) },
      "functions.f parameters b",
    ],
    [{ f: { ...f, signature: { ...f.signature, returns: "x\ny" } } }, "functions.f returns"],
    [{ s: { ...store, name: "a b" } }, "functions.s name"],
  ];
  expect(bad.map(([given]) => option(given))).toEqual(bad.map(([, name]) => name));
});
