// One use of an interpreter: checkout, `1 + 1`, return. Every wall and its rivals take turns, each with a few uses in a row, as a
// service has them: what another contestant left in the processor's caches is the first use's matter. Between two uses a pool makes
// the used one pristine, off the caller's path: in a pause of some milliseconds, from which the processor has to wake up, and once
// more with the next use as soon as that is done.
import { spawnSync } from "node:child_process";
import { loadPyodide } from "pyodide";
import { python } from "../harness/machine.ts";
import { importMonty } from "../harness/monty.ts";
import { passing, report } from "../harness/report.ts";
import { eachRound, samples } from "../harness/samples.ts";
import { walls } from "../harness/walls.ts";

export const title = "checkout, 1 + 1, return";

const usesInARow = 10;
const busyUses = 50;
const pauseMs = 5;
const paused = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pauseMs));

interface Contestant {
  readonly name: string;
  readonly once: () => Promise<void> | void;
  /** Resolves when the next use finds something pristine. */
  readonly ready?: () => Promise<void>;
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
    const { ready } = source;
    contestants.push({ name, once, ...(ready && { ready }), close: () => source.close() });
  }
  contestants.push(...(await rivals()));
  const times = contestants.map((): Times => ({ afterPause: [], busy: [] }));
  const timed = contestants.map(({ once, ready }, index) => async (): Promise<void> => {
    const { afterPause, busy } = times[index] ?? { afterPause: [], busy: [] };
    await series(afterPause, usesInARow, once, paused);
    if (ready) await series(busy, busyUses, once, ready);
  });
  passing("warming up");
  await eachRound(2, timed);
  for (const { afterPause, busy } of times) afterPause.length = busy.length = 0;
  await eachRound(rounds, timed);
  for (const [index, { name, ready, close }] of contestants.entries()) {
    report(name, times[index]?.afterPause ?? []);
    if (ready) report("    without pauses", times[index]?.busy ?? []);
    await close?.();
  }
}

interface Times {
  readonly afterPause: number[];
  readonly busy: number[];
}

async function series(
  times: number[],
  uses: number,
  once: Contestant["once"],
  between: () => Promise<void>,
): Promise<void> {
  for (let use = 0; use < uses; use++) {
    await between();
    const from = performance.now();
    await once();
    times.push(performance.now() - from);
  }
}

async function rivals(): Promise<Contestant[]> {
  passing("loading Pyodide");
  const pyodide = await loadPyodide();
  const list: Contestant[] = [
    {
      name: "stock Pyodide, one for all, never reset",
      once: () => void pyodide.runPython("1 + 1"),
      ready: async () => {},
    },
    { name: "python3 -c", once: () => void spawnSync(python, ["-c", "1 + 1"]) },
  ];
  const monty = await importMonty();
  if (monty) {
    const once = () => void new monty.Monty("1 + 1").run();
    list.push({ name: "Monty", once, ready: async () => {} });
  }
  return list;
}
