// Runs of a guest that is given functions, behind a wall of any kind, without the sandbox around it.

import type {
  FunctionCapability,
  ObjectCapability,
} from "../src/capabilities/functions/function-capability.ts";
import { CallServer, type CallServerOptions } from "../src/host/calls/call-server.ts";
import type { ObserveCalls } from "../src/host/calls/embedder.ts";
import type { FaultEvent } from "../src/host/events.ts";
import { openWall } from "../src/host/open-wall.ts";
import { checkEngine, checkGrants, type Isolation } from "../src/host/options.ts";
import { encodeRun, endingOf } from "../src/host/run.ts";

export const walls: readonly Isolation[] = ["inline", "worker", "process"];
export type Grants = Readonly<Record<string, FunctionCapability | ObjectCapability>>;

export interface Guest extends AsyncDisposable {
  readonly server: CallServer;
  readonly faults: readonly FaultEvent[];
  /** Its value, or its exception as "Type: message". */
  run(source: string, observe?: ObserveCalls): Promise<unknown>;
}

export async function guestWith(
  isolation: Isolation,
  grants: Grants,
  options: Partial<CallServerOptions> & { readonly wall?: string } = {},
): Promise<Guest> {
  const { wall: wallTime = "20 s", ...more } = options;
  const { plan } = checkGrants({ limits: { wall: wallTime } }, isolation);
  const faults: FaultEvent[] = [];
  const server = new CallServer(new Map(Object.entries(grants)), {
    valueBytes: 2 ** 24,
    heldBytes: 2 ** 24,
    canWait: isolation !== "inline",
    nowMs: Date.now,
    onEvent: (event) => faults.push(event),
    ...more,
  });
  let output = "";
  const wall = await openWall(checkEngine({ isolation }, false), () => {});
  const granted = { ...plan, functions: true };
  await wall.begin(granted, { calls: server });
  return {
    server,
    faults,
    async run(source, observe) {
      output = "";
      server.beginRun(observe);
      try {
        const report = await wall.run(encodeRun(source, {}), (_, bytes) => {
          output += new TextDecoder().decode(bytes);
        });
        const ending = endingOf(report, granted);
        if ("error" in ending)
          return `${ending.error.message}${process.env.SHOW ? (ending.error as { traceback?: string }).traceback + output : ""}`;
        return ending.value;
      } finally {
        server.endRun();
      }
    },
    async [Symbol.asyncDispose]() {
      server.end();
      await wall.kill(new Error("over"));
    },
  };
}
