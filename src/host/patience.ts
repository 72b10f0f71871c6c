// Waiting for what may never come.
import { startTimer } from "../platform/node/powers.ts";

/** Resolves when `awaited` has settled, or that time is over. */
export async function waitAtMost(milliseconds: number, awaited: PromiseLike<unknown>): Promise<void> {
  let stop: () => void = () => {};
  const late = new Promise<void>((resolve) => {
    stop = startTimer(milliseconds, resolve);
  });
  const settled = awaited.then(
    () => {},
    () => {},
  );
  await Promise.race([settled, late]);
  stop();
}
