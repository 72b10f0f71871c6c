// Values that are made to harm, and shapes and limits of values, behind each wall: the host keeps its limits, nothing of it is touched, and
// the sandbox stays usable wherever no limit ended it.
import {
  type Isolation,
  LimitError,
  OpaqueValue,
  OptionError,
  PythonError,
  PythonInstance,
  RunError,
  type RunOptions,
  Sandbox,
  SandboxLostError,
} from "sandboa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { definitions } from "./values-fixture.ts";

const keep = { references: "keep" } as const;

const prototypes = [Object, Array, Map, Set, Uint8Array, Function, String, Promise].map((c) => c.prototype);
const namesOf = (): string =>
  JSON.stringify(prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String)));

describe.each<Isolation>(["inline", "worker", "process"])("%s", (isolation) => {
  let sandbox: Sandbox;
  const create = (): Promise<Sandbox> =>
    Sandbox.create({ isolation, limits: { wall: "30 s", value: "1 MiB" } });
  beforeAll(async () => {
    sandbox = await create();
  });
  beforeEach(async () => {
    await sandbox.reset();
    await sandbox.run(definitions);
  });
  afterAll(() => sandbox.close());

  const give = async (source: string, options?: RunOptions): Promise<unknown> =>
    (await sandbox.run(source, options)).value;
  const failureOf = (source: string, options?: RunOptions): Promise<unknown> =>
    sandbox.run(source, options).then(
      (run) => expect.fail(`it gave ${String(run.value)}`),
      (error: unknown) => error,
    );

  test("objects and json", async () => {
    const dict = "{'b': 1, 'a': {'constructor': None}, '10': [True]}";
    const objects = await give(dict, { values: { shape: "objects" } });
    expect(Object.getPrototypeOf(objects)).toBe(null);
    expect({ ...(objects as object) }).toMatchObject({ b: 1, "10": [true] });
    expect(JSON.stringify(await give(dict, { values: { shape: "json" } }))).toBe(
      '{"10":[true],"b":1,"a":{"constructor":null}}',
    );
    for (const [source, path] of [
      ["[1, {'a': [Decimal(1)]}]", "[1].a[0]"],
      ["{'x': math.nan}", ".x"],
      ["{'x': {1: 2}}", ".x"],
      ["{'x': {'__proto__': 2}}", ".x"],
      ["[b'x']", "[0]"],
      ["[{1}]", "[0]"],
      ["[2**60]", "[0]"],
      ["[Point(1)]", "[0]"],
      ["[...]", "[0]"],
    ]) {
      const error = await failureOf(source as string, { values: { shape: "json" } });
      expect(error, source).toBeInstanceOf(RunError);
      expect(error).toMatchObject({ code: "VALUE_NOT_COPIED", sandbox: "usable" });
      expect((error as RunError).message).toContain(`: ${path} is not JSON`);
    }
    expect(await give("{'__proto__': {'polluted': 1}}", { values: { shape: "objects" } })).toBeInstanceOf(
      Map,
    );
    expect(({} as Record<string, unknown>).polluted).toBe(undefined);
  });

  test("references that are refused", async () => {
    const cycle: unknown[] = [];
    cycle.push({ cycle });
    const error = await failureOf("1", { inputs: { cycle } });
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).message).toContain("inputs.cycle[0].cycle");
    for (const source of ["x = []; x.append(x); x", "x = [Decimal(1)]; x.append({'x': x}); x"]) {
      const refusal = await failureOf(source);
      expect(refusal).toBeInstanceOf(RunError);
      expect(refusal).toMatchObject({ code: "VALUE_NOT_COPIED", sandbox: "usable" });
    }
    const shared = [1];
    expect(await give("x[0] is x[1]", { inputs: { x: [shared, shared] } })).toBe(false);
    expect(await failureOf("1", { inputs: {}, values: { references: "some" as "keep" } })).toBeInstanceOf(
      OptionError,
    );
  });

  test("references that are kept, with records among them and without", async () => {
    for (const leaf of [1, new Date(0)]) {
      const shared = { leaf };
      const x: unknown[] = [shared, shared, new Map([["k", shared]]), Object.freeze([shared])];
      x.push(x);
      const checks = "x[0] is x[1] is x[2]['k'] is x[3][0], x[4] is x";
      expect(await give(checks, { inputs: { x }, values: keep })).toEqual([true, true]);
      const back = (await give("x", { inputs: { x }, values: keep })) as unknown[];
      expect(back[1]).toBe(back[0]);
      expect((back[2] as Map<string, unknown>).get("k")).toBe(back[0]);
      expect((back[3] as unknown[])[0]).toBe(back[0]);
      expect(back[4]).toBe(back);
    }
    const point = new PythonInstance(
      "dataclass",
      "__main__.Point",
      new Map([
        ["x", 1],
        ["y", 2],
      ]),
    );
    expect(await give("x[0] is x[1]", { inputs: { x: [point, point] }, values: keep })).toBe(true);
    const [one, two] = (await give("p = Point(1); [p, p]", { values: keep })) as unknown[];
    expect(one).toBeInstanceOf(PythonInstance);
    expect(two).toBe(one);
    const list: unknown[] = [new Date(0)];
    const tuple = Object.freeze([list]);
    list.push(tuple);
    expect(await give("x[0][1] is x", { inputs: { x: tuple }, values: keep })).toBe(true);
    // A graph of a hundred lists with 2^100 paths.
    let graph: unknown = [new Date(0)];
    for (let level = 0; level < 100; level++) graph = [graph, graph];
    const source =
      "n = 0\nwhile type(graph) is list and graph[0] is graph[-1]: graph, n = graph[0], n + 1\nn";
    expect(await give(source, { inputs: { graph }, values: keep })).toBe(101);
  });

  test("depth and size", async () => {
    const nested = (depth: number) => `x = []\nfor _ in range(${depth - 1}): x = [x]\nx`;
    expect(await give(nested(200))).toHaveLength(1);
    expect(await failureOf(nested(201))).toMatchObject({ code: "VALUE_NOT_COPIED", sandbox: "usable" });
    const records = await give("x = Decimal(1)\nfor _ in range(400): x = [x]\nx");
    expect(JSON.stringify(records)).toMatch(/^\[{180}\{"type":"list"/);
    const laughs = "x = []\nfor _ in range(100): x = [x, x]\n";
    expect(await failureOf(`${laughs}x`)).toMatchObject({ code: "VALUE_NOT_COPIED" });
    expect(await failureOf(`${laughs}[x, Decimal(1)]`)).toMatchObject({ code: "VALUE_NOT_COPIED" });
    const error = await failureOf("[b'x' * 2**20]");
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ limit: "value", budget: 2 ** 20, sandbox: "usable" });
    expect(await failureOf("['x' * 2**20, Decimal(1)]")).toMatchObject({ limit: "value" });
    expect(await give("[1] * 1000 == x", { inputs: { x: Array(1000).fill(1) } })).toBe(true);
  });

  test("a million lists, each in the one before", async () => {
    // What they do to the interpreter itself when they go is its own affair; the host has an error or a value, and a sandbox after a reset.
    const source = "x = []\nfor _ in range(1_000_000): x = [x]\nx";
    const ending = await sandbox.run(source).then(
      ({ value }) => value,
      (error: unknown) => error,
    );
    const ends = [OpaqueValue, SandboxLostError, PythonError, RunError];
    const nested = Array.isArray(ending) || ends.some((kind) => ending instanceof kind);
    expect(nested, String(ending)).toBe(true);
    await sandbox.reset();
    expect(await give("1 + 1")).toBe(2);
  });

  test("code of the guest's runs in the guest, and what it raises leaves an OpaqueValue", async () => {
    const source = `
class Loud:
    def __repr__(self): ran.append("repr"); raise SystemExit(3)
    def __reduce__(self): ran.append("reduce"); raise RuntimeError
    def __reduce_ex__(self, version): ran.append("reduce"); raise RuntimeError
    def __getattr__(self, name): ran.append("getattr"); raise RuntimeError
class Keys(dict):
    def keys(self): ran.append("keys"); return [1]
    def items(self): ran.append("items"); return [(1, 2)]
    def __iter__(self): ran.append("iter"); return iter([])
    def __len__(self): return 10**9
class Items(list):
    def __iter__(self): ran.append("iter"); return iter([1] * 10**9)
    def __len__(self): return 10**9
class Text(str):
    def __str__(self): ran.append("str"); return "other"
    def __len__(self): return 2**31
class Number(int):
    def __int__(self): ran.append("int"); return 7
class Hash:
    def __init__(self, n): self.n = n
    def __hash__(self): return 1
    def __eq__(self, other): return True if self.n == other.n else 1 / 0
    def __repr__(self): return "same"
@dataclasses.dataclass
class Property:
    x: int
    def __getattribute__(self, name):
        if name == "x": raise KeyError("no")
        return object.__getattribute__(self, name)
gone = Point(1)
del gone.x
ran = []
[Loud(), Keys(a=1), Items([5]), Text("text"), Number(5), Property(1), gone, {Hash(1): 1}, ran]`;
    const value = (await give(source)) as unknown[];
    expect(value.slice(0, 5)).toEqual([
      new OpaqueValue("Loud", "<repr failed: SystemExit>"),
      new Map([["a", 1]]),
      [5],
      "text",
      5,
    ]);
    expect(value[5]).toMatchObject({ type: "Property" });
    expect(value[6]).toEqual(new OpaqueValue("Point", "<repr failed: AttributeError>"));
    expect(value[7]).toEqual(new Map([[new OpaqueValue("Hash", "same"), 1]]));
    expect(await give("ran")).toEqual(["repr"]);
  });

  test("different keys that look the same are not lost", async () => {
    const source = "class A:\n  def __repr__(self): return 'A'\n";
    expect(await give(`${source}{A(): 1, A(): 2}`)).toBeInstanceOf(OpaqueValue);
    expect(await give(`${source}{A(), A()}`)).toBeInstanceOf(OpaqueValue);
    for (const twice of ["{math.nan: 1, -math.nan: 2}", "{'\\ud83d\\ude00', '\\U0001f600'}"])
      expect(await failureOf(twice)).toMatchObject({ code: "VALUE_NOT_COPIED", sandbox: "usable" });
  });

  test("a repr that never ends, ends at a limit", async () => {
    await using own = await Sandbox.create({ isolation, limits: { wall: "300 ms" } });
    const source = "class Slow:\n  def __repr__(self):\n    while True: pass\n[Slow()]";
    await expect(own.run(source)).rejects.toMatchObject({ limit: "wall", sandbox: "lost" });
    await own.reset();
    expect((await own.run("1")).value).toBe(1);
  });

  test("what marshal itself has codes for, and buffers", async () => {
    const stop = new OpaqueValue("type", "<class 'StopIteration'>");
    const slice = new OpaqueValue("slice", "slice(1, 2, None)");
    expect(await give("StopIteration")).toEqual(stop);
    expect(await give("[StopIteration, slice(1, 2), {StopIteration: slice(1, 2)}]")).toEqual([
      stop,
      slice,
      new Map([[stop, slice]]),
    ]);
    const one = Uint8Array.of(1, 0);
    const buffers =
      "array.array('h', [1]), bytearray(b'\\1\\0'), memoryview(b'\\1\\0'), memoryview(b'\\1?\\0?')[::2]";
    expect(await give(`[${buffers}]`)).toEqual([one, one, one, one]);
    expect(await give(`[${buffers}, Decimal(1)][:4]`)).toEqual([one, one, one, one]);
    expect(await give("(lambda: 1).__code__")).toMatchObject({ type: "code" });
    expect(await give("[len, int, range(3), {}.keys()]")).toMatchObject(
      ["builtin_function_or_method", "type", "range", "dict_keys"].map((type) => ({ type })),
    );
    const big = await give("{10**5000: Decimal(1), 'x': Decimal(2)}");
    expect([...(big as Map<unknown, unknown>).keys()]).toEqual([10n ** 5000n, "x"]);
    expect(await give("class D(Decimal): pass\n[D('1.10')]")).toMatchObject([{ text: "1.10" }]);
  });

  test("frames that no guest of ours makes, as the result", async () => {
    const before = namesOf();
    const answerWith = (frame: string) =>
      `from sandboa import _values\n_values.encode = lambda value: (${frame}, True)\n[1]`;
    for (const frame of [
      "",
      "?",
      "[\\xff\\xff\\xff\\x7f",
      "u\\xff\\xff\\xff\\x7fx",
      ")\\x02.z\\x09__proto__",
    ])
      expect(await failureOf(answerWith(`b'${frame}'`)), frame).toMatchObject({ code: "VALUE_NOT_COPIED" });
    const named = await give(answerWith("b'{Z\\x09__proto__{Z\\x01xN00'"));
    expect(named).toEqual(new Map([["__proto__", new Map([["x", null]])]]));
    expect(namesOf()).toBe(before);
    expect(await failureOf(answerWith("5"))).toMatchObject({ code: "SANDBOX_CRASHED" });
  });

  test("classes that are not there, and what their constructors think", async () => {
    const none = new PythonInstance("dataclass", "__main__.Nobody", new Map([["x", 1]]));
    expect(await failureOf("1", { inputs: { none } })).toMatchObject({ type: "ValueError" });
    const wrong = new PythonInstance("dataclass", "__main__.Point", new Map([["z", 1]]));
    expect(await failureOf("1", { inputs: { wrong } })).toMatchObject({ type: "ValueError" });
    // Neither __init__ nor __post_init__ runs.
    const detailed = new PythonInstance(
      "exception",
      "__main__.Detailed",
      new Map([["args", Object.freeze([1, "x"])]]),
    );
    expect(await give("[d.args, hasattr(d, 'code')]", { inputs: { d: detailed } })).toEqual([
      [1, "x"],
      false,
    ]);
    expect(await give("1")).toBe(1);
  });
});
