// Whatever this package makes that can be called says so; nothing else does, whatever it looks like.
import { expect, test } from "vitest";
import { memoryFile } from "../files.ts";
import { limited } from "../wrappers/limited.ts";
import { observed } from "../wrappers/observed.ts";
import { readOnly } from "../wrappers/read-only.ts";
import { revocable } from "../wrappers/revocable.ts";
import { fromAiTools } from "./ai-tools.ts";
import { approved } from "./approved.ts";
import { isCallable, isMadeHere } from "./around-function.ts";
import { attenuate } from "./attenuate.ts";
import { expiring } from "./expiring.ts";
import type { FunctionCapability } from "./function-capability.ts";
import { defaultLimits, defaultValues } from "./function-limits.ts";
import { hostFunction } from "./host-function.ts";
import { hostObject } from "./host-object.ts";

const fn = hostFunction(() => 1);
const object = hostObject(
  { method: () => 1, attribute: 1 },
  { methods: { method: fn }, attributes: ["attribute"] },
);
const own: FunctionCapability = {
  kind: "function",
  signature: { parameters: [], returns: "Any", description: "", isAsync: false, streams: false },
  limits: defaultLimits,
  values: defaultValues,
  invoke: () => 1,
};

test("what constructors and words of authority give", () => {
  const made: unknown[] = [fn, object, ...object.methods.values(), ...object.attributes.values()];
  made.push(hostFunction({ execute: () => 1 }));
  made.push(...Object.values(fromAiTools({ tool: { inputSchema: { jsonSchema: {} }, execute: () => 1 } })));
  for (const one of [fn, object])
    made.push(
      limited(one, { calls: 1, until: "1 s" }),
      expiring(one, { after: "1 s" }),
      revocable(one).capability,
      approved(one, () => true),
      observed(one, () => {}),
    );
  made.push(attenuate(fn, {}), attenuate(object, {}), attenuate(own, {}), { ...fn });
  expect(made.map((one) => isMadeHere(one as object))).toEqual(made.map(() => true));
  expect(made.length).toBe(20);
});

test("what only looks like it is a function or object of its own kind, and a place is neither", () => {
  const copy = structuredClone({ ...object, methods: new Map(), attributes: new Map(), target: {} });
  for (const one of [own, copy]) expect([isCallable(one), isMadeHere(one)]).toEqual([true, false]);
  const place = readOnly(memoryFile("text"));
  expect([isCallable(place), isMadeHere(place)]).toEqual([false, false]);
});
