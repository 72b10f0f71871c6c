// One use of an interpreter: checkout, `1 + 1`, return. Every wall and its rivals take turns, each with a few uses in a row, as a
// service has them: what another contestant left in the processor's caches is the first use's matter. Between two uses there is a
// pause in which a pool makes the used one pristine.
import { spawnSync } from "node:child_process";
import { loadPyodide } from "pyodide";
import { python } from "../harness/machine.ts";
import { importMonty } from "../harness/monty.ts";
import { passing, report } from "../harness/report.ts";
import { eachRound, samples } from "../harness/samples.ts";
import { walls } from "../harness/walls.ts";

export const title = "checkout, 1 + 1, return";

const usesInARow = 10;
const pauseMs = 5;

interface Contestant {
  readonly name: string;
  readonly once: () => Promise<void> | void;
  readonly close?: () => Promise<void>;
}

export async function measure(): Promise<void> {
  const rounds = samples(10);
  const contestants: Contestant[] = [];
  for (const { name, open } of walls) {
    const source = await open(2);
    const once = async (): Promise<void> => {
      const sandbox = await source.checkout();
      const { value } = await sandbox.run("1 + 1");
      if (value !== 2) throw new Error(`${name} answered ${String(value)}`);
      await sandbox.close();
    };
    contestants.push({ name, once, close: () => source.close() });
  }
  contestants.push(...(await rivals()));
  const times = contestants.map((): number[] => []);
  const timed = contestants.map(({ once }, index) => async (): Promise<void> => {
    for (let use = 0; use < usesInARow; use++) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const from = performance.now();
      await once();
      times[index]?.push(performance.now() - from);
    }
  });
  passing("warming up");
  await eachRound(2, timed);
  for (const series of times) series.length = 0;
  await eachRound(rounds, timed);
  for (const [index, { name, close }] of contestants.entries()) {
    report(name, times[index] ?? []);
    await close?.();
  }
}

async function rivals(): Promise<Contestant[]> {
  passing("loading Pyodide");
  const pyodide = await loadPyodide();
  const list: Contestant[] = [
    {
      name: "stock Pyodide, one for all, never reset",
      once: () => void pyodide.runPython("1 + 1"),
    },
    { name: "python3 -c", once: () => void spawnSync(python, ["-c", "1 + 1"]) },
  ];
  const monty = await importMonty();
  if (monty) list.push({ name: "Monty", once: () => void new monty.Monty("1 + 1").run() });
  return list;
}
