// The children of this process, as the system tells them.
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Process ids; none where the system does not tell. */
export function children(): number[] {
  const tasks = existsSync("/proc/self/task") ? readdirSync("/proc/self/task") : [];
  return tasks.flatMap((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/children`, "utf8")
        .trim()
        .split(" ")
        .filter(Boolean)
        .map(Number);
    } catch {
      return [];
    }
  });
}
