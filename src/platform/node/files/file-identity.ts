// Which file of the host it is that a descriptor stands for: one word for all descriptors and names of it, in any thread of the process.
import { statOf } from "./open-at.ts";

/** It stands for this file as long as somebody has it open. */
export function hostFileIdentity(fd: number): string {
  const { dev, ino } = statOf(fd);
  return `${dev}:${ino}`;
}
