// How many samples a group takes: its own default, or SAMPLES for all of them.

export function samples(usual: number): number {
  const asked = process.env.SAMPLES;
  if (asked === undefined) return usual;
  const count = Number(asked);
  if (!Number.isInteger(count) || count < 1) throw new Error("SAMPLES must be a whole number above 0");
  return count;
}

/** Runs `step` for each round, with turns in between, so that a slow moment of the machine hits every contestant. */
export async function eachRound(
  rounds: number,
  contestants: readonly (() => void | Promise<void>)[],
): Promise<void> {
  for (let round = 0; round < rounds; round++) for (const step of contestants) await step();
}
