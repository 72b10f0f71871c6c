// Calls of functions of the host, from a loop in Python: what one costs behind each wall, with small and with large values, waited for
// and awaited, beside Monty's external functions and stock Pyodide's calls of JavaScript. The loop is part of the time.
import { loadPyodide } from "pyodide";
import { hostFunction, type Isolation, Sandbox } from "sandboa";
import { importMonty } from "../harness/monty.ts";
import { line, passing, report } from "../harness/report.ts";
import { eachRound, samples } from "../harness/samples.ts";

export const title = "calls of functions of the host";

interface Load {
  readonly name: string;
  /** How many calls make one sample. */
  readonly calls: number;
  /** Python that makes one round of `n` calls, with the payload `x` there. */
  readonly body: string;
  readonly payload: string;
  readonly unit: "us" | "ms";
  readonly isAsync?: boolean;
}

/** Records of a dict, lists, texts, ints and floats: 4 KB of JSON. */
const small = `[{"id": i, "name": f"record {i}", "tags": ["a", "b", "c"], "sizes": [i, i + 1, i + 2], "weight": i / 7} for i in range(34)]`;
/** Dicts and lists in turn, five deep, with 46,656 leaves: a third each ints, texts and floats. About 1.1 MB of JSON. */
const widths = [9, 8, 9, 8, 9];
const large = `nested(${JSON.stringify(widths)}, [0])`;
const nestedSource = `
def nested(widths, leaves):
    if len(widths) == 0:
        leaves[0] += 1
        n = leaves[0]
        return (n, f"value number {n}", n / 7)[n % 3]
    inner = [nested(widths[1:], leaves) for _ in range(widths[0])]
    if len(widths) % 2 == 0:
        return inner
    return {f"key{i}": inner[i] for i in range(len(inner))}
`;
const loop = "for _ in range(n): echo(x)";
const awaits = "for _ in range(n): await aecho(x)";
const gather = "await asyncio.gather(*[aecho(x) for _ in range(n)])";

const loads: readonly Load[] = [
  { name: "an int", payload: "5", calls: 20_000, body: loop, unit: "us" },
  { name: "a text of 100 bytes", payload: "'x' * 100", calls: 20_000, body: loop, unit: "us" },
  { name: "4 KB of nested data", payload: small, calls: 100, body: loop, unit: "us" },
  {
    name: "1 MB of nested data, to the host",
    payload: large,
    calls: 2,
    body: "for _ in range(n): take(x)",
    unit: "ms",
  },
  {
    name: "1 MB of nested data, from the host",
    payload: "None",
    calls: 2,
    body: "for _ in range(n): give()",
    unit: "ms",
  },
  { name: "an int, awaited", payload: "5", calls: 500, body: awaits, unit: "us", isAsync: true },
  {
    name: "4 KB of nested data, awaited",
    payload: small,
    calls: 100,
    body: awaits,
    unit: "us",
    isAsync: true,
  },
  {
    name: "a text of 100 bytes, awaited",
    payload: "'x' * 100",
    calls: 500,
    body: awaits,
    unit: "us",
    isAsync: true,
  },
  {
    name: "1 MB of nested data there and back, awaited",
    payload: large,
    calls: 1,
    body: awaits,
    unit: "ms",
    isAsync: true,
  },
  { name: "1,000 awaited at once", payload: "5", calls: 1000, body: gather, unit: "us", isAsync: true },
];

interface Contestant {
  readonly name: string;
  /** What makes one sample; undefined where it cannot. */
  prepare(load: Load): Promise<(() => Promise<unknown>) | undefined>;
  close(): Promise<void>;
}

const given = nested(widths, { count: 0 });

function nested([width, ...rest]: readonly number[], leaves: { count: number }): unknown {
  if (width === undefined) {
    leaves.count += 1;
    const n = leaves.count;
    return [n, `value number ${n}`, n / 7][n % 3];
  }
  const inner = Array.from({ length: width }, () => nested(rest, leaves));
  if (rest.length % 2 === 1) return inner;
  return Object.fromEntries(inner.map((item, index) => [`key${index}`, item]));
}

export async function measure(): Promise<void> {
  const rounds = samples(7);
  const contestants = [
    ...(await Promise.all((["inline", "worker", "process"] as const).map(sandboa))),
    await pyodide(),
    ...(await monty()),
  ];
  for (const load of loads) {
    passing(load.name);
    line(`${load.name}:`);
    const series: number[][] = [];
    const steps: (() => Promise<void>)[] = [];
    for (const contestant of contestants) {
      const once = await tried(contestant, load);
      const times: number[] = [];
      series.push(times);
      if (once === undefined) continue;
      steps.push(async () => {
        const from = performance.now();
        await once();
        const each = (performance.now() - from) / load.calls;
        times.push(load.unit === "us" ? each * 1000 : each);
      });
    }
    await eachRound(2, steps);
    for (const times of series) times.length = 0;
    await eachRound(rounds, steps);
    for (const [index, { name }] of contestants.entries())
      if (series[index]?.length) report(`  ${name}`, series[index], load.unit);
  }
  for (const contestant of contestants) await contestant.close();
}

/** What makes a sample, after it was seen to work. */
async function tried(contestant: Contestant, load: Load): Promise<(() => Promise<unknown>) | undefined> {
  try {
    const once = await contestant.prepare(load);
    await once?.();
    return once;
  } catch (error) {
    line(`  ${contestant.name}: cannot (${String(error).split("\n").at(-1)})`);
    return undefined;
  }
}

const program = ({ payload, body, isAsync }: Load): string =>
  `import asyncio\n${nestedSource}x = ${payload}\n${isAsync ? "async " : ""}def work(n):\n    ${body}\n`;

async function sandboa(isolation: Isolation): Promise<Contestant> {
  const limits = { calls: "unlimited", bytes: "unlimited", concurrency: 1000 } as const;
  const sandbox = await Sandbox.create({
    isolation,
    limits: { wall: "10 min", cpu: "10 min" },
    functions: {
      echo: hostFunction((x: unknown) => x, { limits }),
      take: hostFunction((_x: unknown) => null, { limits }),
      give: hostFunction(() => given, { limits }),
      aecho: hostFunction(async (x: unknown) => x, { limits }),
    },
  });
  await sandbox.run("from host import *");
  return {
    name: `Sandboa, ${isolation}`,
    prepare: async (load) => {
      await sandbox.run(program(load));
      const call = `work(${load.calls})`;
      return () => sandbox.run(load.isAsync ? `await ${call}\nNone` : call);
    },
    close: () => sandbox.close(),
  };
}

async function pyodide(): Promise<Contestant> {
  const engine = await loadPyodide();
  // What is not a number or a text comes as a proxy, which shares and copies nothing until it is asked to.
  const copied = (x: unknown): unknown => {
    if (typeof x !== "object" || x === null) return x;
    const proxy = x as { toJs(options: object): unknown };
    return engine.toPy(proxy.toJs({ dict_converter: Object.fromEntries }));
  };
  engine.globals.set("echo", copied);
  engine.globals.set("aecho", async (x: unknown) => copied(x));
  engine.globals.set("take", (x: { toJs(options: object): unknown }) => {
    x.toJs({ dict_converter: Object.fromEntries });
    return null;
  });
  engine.globals.set("give", () => engine.toPy(given));
  return {
    name: "stock Pyodide",
    prepare: async (load) => {
      engine.runPython(program(load));
      const call = `work(${load.calls})`;
      return async () =>
        load.isAsync ? await engine.runPythonAsync(`await ${call}\nNone`) : engine.runPython(call);
    },
    close: async () => {},
  };
}

async function monty(): Promise<Contestant[]> {
  const package_ = await importMonty();
  if (package_ === undefined) return [];
  const { Monty, runMontyAsync } = package_;
  const functions = { echo: (x: unknown) => x, take: () => null, give: () => given };
  const contestant: Contestant = {
    name: "Monty",
    prepare: async (load) => {
      // What answers later is called as everything else is: awaiting it fails.
      const waited = { ...load, isAsync: false, body: load.body.replace("await aecho", "aecho") };
      const code = new Monty(`${program(waited)}work(${load.calls})`);
      return load.isAsync
        ? () => runMontyAsync(code, { externalFunctions: { aecho: async (x: unknown) => x } })
        : async () => code.run({ externalFunctions: functions });
    },
    close: async () => {},
  };
  return [contestant];
}
