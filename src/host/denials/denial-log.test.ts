// The log inside of a wall: it hears what a run is refused, and nothing of what we do ourselves between runs.
import { expect, test } from "vitest";
import { errno } from "../../abi/errno.ts";
import { idlePlan } from "../plan.ts";
import { DenialLog } from "./denial-log.ts";
import type { RawDenial } from "./raw-denial.ts";

test("only while a run goes on, once when it is new, and at the end of a run when it came again", () => {
  const told: RawDenial[] = [];
  const log = new DenialLog(idlePlan, (denial) => told.push(denial));
  const ask = (path: string): void =>
    log.refused({ kind: "path", access: "read", path, errno: errno.ENOENT });
  ask("/before");
  log.inputAsked();
  log.listening = true;
  ask("/x");
  ask("/x");
  ask("/y");
  log.finish();
  ask("/between");
  log.listening = true;
  log.finish();
  expect(told.map(({ name, count }) => [name, count])).toEqual([
    ["/x", 1],
    ["/y", 1],
    ["/x", 2],
  ]);
});
