// Programs that need much more memory than an interpreter begins with, each in a new one, which has to grow: the run alone is timed.
import { execFileSync } from "node:child_process";
import { loadPyodide } from "pyodide";
import { type Isolation, Sandbox } from "sandboa";
import { python } from "../harness/machine.ts";
import { report } from "../harness/report.ts";
import { eachRound, samples } from "../harness/samples.ts";

export const title = "programs that make the memory of a new interpreter grow";

const programs: readonly (readonly [string, string])[] = [
  ["90 blocks of 1 MiB", "kept = [bytearray(1 << 20) for _ in range(90)]"],
  ["500,000 small objects", "kept = [(i, str(i)) for i in range(500_000)]"],
];
const isolations: readonly Isolation[] = ["inline", "worker", "process"];

type Contestant = readonly [name: string, run: (source: string) => number | Promise<number>];
const contestants: readonly Contestant[] = [
  ...isolations.map((isolation): Contestant => [isolation, (source) => inSandbox(isolation, source)]),
  ["stock Pyodide", inPyodide],
  ["python3", natively],
];

export async function measure(): Promise<void> {
  for (const [program, source] of programs) {
    const series = contestants.map(([name, run]) => {
      const times: number[] = [];
      return { name, times, step: async (): Promise<void> => void times.push(await run(source)) };
    });
    const steps = series.map(({ step }) => step);
    await eachRound(samples(7), steps);
    for (const { name, times } of series) report(`${program}: ${name}`, times);
  }
}

async function inSandbox(isolation: Isolation, source: string): Promise<number> {
  await using sandbox = await Sandbox.create({ isolation });
  await sandbox.run("1");
  return await timed(() => sandbox.run(source));
}

async function inPyodide(source: string): Promise<number> {
  const pyodide = await loadPyodide();
  pyodide.runPython("1");
  return timed(async () => pyodide.runPython(source));
}

function natively(source: string): number {
  const program = `import time\nstart = time.perf_counter()\n${source}\nprint((time.perf_counter() - start) * 1000)`;
  return Number(execFileSync(python, ["-c", program], { encoding: "utf8" }));
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await run();
  return performance.now() - from;
}
