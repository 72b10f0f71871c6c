// Runs of a guest that is given functions, behind a wall of any kind, without the sandbox around it.

import type {
  FunctionCapability,
  ObjectCapability,
} from "../src/capabilities/functions/function-capability.ts";
import { CallServer, type CallServerOptions } from "../src/host/calls/call-server.ts";
import type { ObserveCalls } from "../src/host/calls/embedder.ts";
import type { FaultEvent } from "../src/host/events.ts";
import { checkEngine, checkGrants, type Isolation } from "../src/host/options/options.ts";
import { endingOf } from "../src/host/run-ending.ts";
import { encodeRun } from "../src/host/run-request.ts";
import { openWall } from "../src/host/walls/open-wall.ts";
import type { Wall } from "../src/host/walls/wall.ts";

export const walls: readonly Isolation[] = ["inline", "worker", "process"];
export type Grants = Readonly<Record<string, FunctionCapability | ObjectCapability>>;

export interface Guest extends AsyncDisposable {
  readonly faults: readonly FaultEvent[];
  readonly wall: Wall;
  /** Of the present lifetime. */
  readonly server: CallServer;
  /** Its value, or its error's message. */
  run(source: string, observe?: ObserveCalls): Promise<unknown>;
  /** Another lifetime, with a server of its own. */
  reset(): Promise<void>;
}

export async function guestWith(
  isolation: Isolation,
  grants: Grants,
  options: Partial<CallServerOptions> & { readonly wall?: string } = {},
): Promise<Guest> {
  const { wall: wallTime = "20 s", ...more } = options;
  const { plan } = checkGrants({ limits: { wall: wallTime } }, isolation);
  const granted = { ...plan, functions: true };
  const faults: FaultEvent[] = [];
  const newServer = (): CallServer =>
    new CallServer(new Map(Object.entries(grants)), {
      valueBytes: 2 ** 24,
      heldBytes: 2 ** 24,
      canWait: isolation !== "inline",
      nowMs: Date.now,
      onEvent: (event) => faults.push(event),
      ...more,
    });
  const wall = await openWall(checkEngine({ isolation }, false), () => {});
  let server = newServer();
  await wall.begin(granted, { calls: server });
  return {
    faults,
    wall,
    get server() {
      return server;
    },
    async run(source, observe) {
      server.beginRun(observe);
      try {
        const report = await wall.run(encodeRun(source, {}), () => {});
        const ending = endingOf(report, granted);
        return "error" in ending ? ending.error.message : ending.value;
      } catch (fallen) {
        return (fallen as Error).message;
      } finally {
        server.endRun();
      }
    },
    async reset() {
      server.end();
      server = newServer();
      await wall.reset();
      await wall.begin(granted, { calls: server });
    },
    async [Symbol.asyncDispose]() {
      server.end();
      await wall.kill(new Error("over"));
    },
  };
}
