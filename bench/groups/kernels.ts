// Interpretation speed: every kernel on every engine, in turns. Native python3 is the oracle: an engine whose checksum
// differs has failed that kernel.
import { readdirSync, readFileSync } from "node:fs";
import { type Answer, Engine, type EngineCommand } from "../harness/engine.ts";
import { python } from "../harness/machine.ts";
import { hasMonty } from "../harness/monty.ts";
import { line, passing } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";
import { geometricMean, summarise } from "../harness/statistics.ts";

/** Calls that are not counted: the evaluator is tiered up after the second or third. */
const warmUps = 4;

const node = (name: string, script: string, ...args: string[]): EngineCommand => ({
  name,
  file: process.execPath,
  args: [`bench/engines/${script}.mjs`, ...args],
});

/** The first is the oracle. A variant of Sandboa is one more line: its options are the last argument. */
const stock: readonly EngineCommand[] = [
  { name: "python3", file: python, args: ["bench/engines/native.py"] },
  node("pyodide", "pyodide"),
  node("sandboa", "sandboa", JSON.stringify({ isolation: "worker" })),
  node("metered", "sandboa", JSON.stringify({ isolation: "worker", metered: true })),
  node("short", "sandboa", JSON.stringify({ isolation: "worker", metered: true, programs: "short" })),
  ...(hasMonty ? [node("monty", "monty")] : []),
].filter(({ name }) => process.env.ENGINES?.split(",").includes(name) ?? true);

/** FLAGS="--a --b;--c" adds Sandboa under these flags of Node's, one column for each semicolon: how flags are judged. */
const variants = (process.env.FLAGS?.split(";") ?? []).map((flags, index): EngineCommand => {
  const { name, file, args } = node(`flags ${index + 1}`, "sandboa", JSON.stringify({ isolation: "worker" }));
  return { name, file, args: [...flags.split(" ").filter(Boolean), ...args] };
});
const engines = [...stock, ...variants];

/** To native python3's time. */
interface Ratio {
  readonly median: number;
  readonly least: number;
}

interface Series {
  readonly times: number[];
  failure: string | undefined;
}

export const title = "interpretation: CPU time of kernels, in ms (and relative to native python3)";

export async function measure(): Promise<void> {
  const rounds = samples(5);
  const names = readdirSync("bench/kernels")
    .map((file) => file.slice(0, -".py".length))
    .filter((name) => (process.env.KERNELS?.split(",") ?? [name]).includes(name));
  line(`n=${rounds} after ${warmUps} warm-up calls; median, spread as ± half of (greatest - least)`);
  line(["kernel".padEnd(15), ...engines.map(({ name }) => name.padStart(22))].join(""));
  const ratios = engines.map((): Map<string, Ratio> => new Map());
  const reasons: string[] = [];
  const running = engines.map((command) => new Engine(command));
  try {
    for (const [at, name] of names.entries()) {
      passing(`${name} (${at + 1} of ${names.length})`);
      const all = await oneKernel(running, name, rounds);
      const native = summarise(all[0]?.times ?? []);
      for (const [index, { times, failure }] of all.entries()) {
        if (failure) reasons.push(`${engines[index]?.name} cannot run ${name}: ${failure}`);
        else {
          const { median, least } = summarise(times);
          ratios[index]?.set(name, { median: median / native.median, least: least / native.least });
        }
      }
      line([name.padEnd(15), ...all.map((series) => cell(series, native.median).padStart(22))].join(""));
    }
  } finally {
    for (const engine of running) engine.close();
  }
  summary(ratios);
  for (const reason of reasons) line(reason);
}

async function oneKernel(running: readonly Engine[], name: string, rounds: number): Promise<Series[]> {
  const source = readFileSync(`bench/kernels/${name}.py`, "utf8");
  const all = running.map((): Series => ({ times: [], failure: undefined }));
  let expected: string | undefined;
  const take = (series: Series, answer: Answer, counted: boolean): void => {
    if ("failure" in answer) {
      series.failure = answer.failure;
      return;
    }
    expected ??= answer.value;
    if (answer.value !== expected) series.failure = "wrong answer";
    else if (counted) series.times.push(answer.cpuMs);
  };
  for (const [index, engine] of running.entries()) {
    const answer = await engine.define(source);
    const series = all[index];
    if (series && "failure" in answer) series.failure = answer.failure;
  }
  for (let round = 0; round < warmUps + rounds; round++) {
    for (const [index, engine] of running.entries()) {
      const series = all[index];
      if (series && !series.failure) take(series, await engine.call(), round >= warmUps);
    }
  }
  return all;
}

function cell({ times, failure }: Series, native: number): string {
  if (failure) return "cannot";
  const { median, least, most } = summarise(times);
  return `${median.toFixed(1)} ±${((most - least) / 2).toFixed(1)} (${(median / native).toFixed(2)})`;
}

/** Each engine's mean over the kernels that it can run, and Pyodide's over the same. */
function summary(ratios: readonly ReadonlyMap<string, Ratio>[]): void {
  const pyodide = ratios[engines.findIndex(({ name }) => name === "pyodide")];
  line("\ngeometric means, by medians (and by the least times, which a busy machine disturbs less)");
  for (const [index, ratio] of ratios.entries()) {
    if (index === 0 || ratio.size === 0) continue;
    const mean = (of: ReadonlyMap<string, Ratio>, by: keyof Ratio): number =>
      geometricMean([...ratio.keys()].flatMap((name) => of.get(name)?.[by] ?? []));
    const percent = (by: keyof Ratio): string =>
      pyodide ? `${((mean(ratio, by) / mean(pyodide, by)) * 100).toFixed(1)} %` : "";
    line(
      `${engines[index]?.name.padEnd(10)} over ${ratio.size} kernels: ${mean(ratio, "median").toFixed(3)} ` +
        `(${mean(ratio, "least").toFixed(3)}) x native, ` +
        `${percent("median")} (${percent("least")}) of stock Pyodide's time over the same`,
    );
  }
}
