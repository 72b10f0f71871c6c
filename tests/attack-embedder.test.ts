// An embedder that does what it should not from within its functions, behind each wall: its process goes on, its runs end, and nothing crosses
// from one sandbox into another.
import { GuestException, hostFunction, revocable, Sandbox, type SandboxEvent } from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { walls } from "./functions-fixture.ts";

type Callable = (...given: unknown[]) => Promise<unknown>;
const unhandled: unknown[] = [];
const note = (error: unknown): void => {
  unhandled.push(error);
};
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

const ended = (run: Promise<unknown>): Promise<unknown> => run.catch((error: unknown) => error);

describe.each(walls)("%s", (isolation) => {
  test("a function that runs, resets and looks at its own sandbox is refused; one that closes it ends the run", async () => {
    const codes: unknown[] = [];
    const self: { sandbox?: Sandbox } = {};
    const tell = (error: unknown): void => {
      codes.push((error as { code?: string }).code);
    };
    const meddle = hostFunction(async () => {
      const { sandbox } = self as { sandbox: Sandbox };
      await sandbox.run("1").catch(tell);
      await sandbox.reset().catch(tell);
      await sandbox.files.read("/tmp/x").catch(tell);
      return codes.length;
    });
    const close = hostFunction(async () => {
      await self.sandbox?.close();
    });
    const sandbox = await Sandbox.create({ isolation, functions: { meddle, close } });
    self.sandbox = sandbox;
    expect(await sandbox.run("from host import *\nawait meddle()")).toMatchObject({ value: 3 });
    expect(codes).toEqual(["SANDBOX_BUSY", "SANDBOX_BUSY", "SANDBOX_BUSY"]);
    expect(await ended(sandbox.run("await close()"))).toMatchObject({ code: "SANDBOX_CLOSED" });
    await expect(sandbox.run("1")).rejects.toMatchObject({ code: "SANDBOX_CLOSED" });
  });

  test("a function that closes its sandbox at once, and one that aborts its run, end it", async () => {
    const abort = new AbortController();
    const self: { sandbox?: Sandbox } = {};
    const functions = {
      stop: hostFunction(() => {
        abort.abort();
        return 1;
      }),
      close: hostFunction(() => {
        void self.sandbox?.close();
        return 1;
      }),
    };
    const sandbox = await Sandbox.create({ isolation, functions, limits: { wall: "5 s" } });
    self.sandbox = sandbox;
    const loop = "from host import *\nstop()\nwhile True: pass";
    expect(await ended(sandbox.run(loop, { signal: abort.signal }))).toMatchObject({ code: "RUN_CANCELLED" });
    await sandbox.reset();
    expect(await ended(sandbox.run("from host import *\nclose()\nwhile True: pass"))).toMatchObject({
      code: "SANDBOX_CLOSED",
    });
  });

  test("what one sandbox has lent is nothing that another one can call, nor what a run before has lent", async () => {
    const kept: Callable[] = [];
    const events: SandboxEvent[] = [];
    const functions = {
      keep: hostFunction((callback: Callable) => {
        kept.push(callback);
      }),
      taken: hostFunction(() => kept[0]),
      use: hostFunction(async () => kept[0]?.("x")),
    };
    const onEvent = (event: SandboxEvent): void => {
      events.push(event);
    };
    await using one = await Sandbox.create({ isolation, functions, onEvent });
    await using other = await Sandbox.create({ isolation, functions, onEvent });
    await one.run("from host import *\nseen = []\nkeep(seen.append)");
    expect(await ended(other.run("from host import *\ntaken()"))).toMatchObject({ type: "host.HostError" });
    expect(await ended(other.run("await use()"))).toMatchObject({
      pythonMessage: expect.stringContaining("the run that lent this is over"),
    });
    expect(await one.run("seen")).toMatchObject({ value: [] });
    expect(events).toMatchObject([{ type: "fault", path: "host.taken" }]);
  });

  test("handles of one sandbox have no meaning in another, and a revoked one none anywhere", async () => {
    const { capability, revoke } = revocable(hostFunction(() => "secret"));
    const get = hostFunction(() => capability);
    await using one = await Sandbox.create({ isolation, functions: { get } });
    await using other = await Sandbox.create({ isolation, functions: { get } });
    const call =
      "import sandboa, struct\nsandboa._host_call(b')\\x00' + struct.pack('<BBII', 0, 1, 1, 0))[-1]";
    expect(await one.run("from host import get\nh = get()\nh()")).toMatchObject({ value: "secret" });
    expect(
      await one.run(call.replace("b')\\x00'", "b'(\\x01\\x00\\x00\\x00(\\x00\\x00\\x00\\x00'")),
    ).toMatchObject({ value: 0 });
    expect(await other.run(call)).toMatchObject({ value: 2 });
    revoke();
    expect(await ended(one.run("h()"))).toMatchObject({ type: "PermissionError" });
    expect(await ended(other.run("from host import get\nget()()"))).toMatchObject({
      type: "PermissionError",
    });
  });

  test("listeners, errors() and getters that throw change nothing for the guest, and end nobody", async () => {
    const functions = {
      shown: hostFunction(
        () => {
          throw new Error("/home/embedder/secret.txt");
        },
        {
          errors: () => {
            throw new Error("errors itself, at /home/embedder");
          },
        },
      ),
      getter: hostFunction(() => ({
        get x(): never {
          throw new TypeError("/home/embedder getter");
        },
      })),
      odd: hostFunction(() => {
        const error = new GuestException("ValueError", "fine");
        Object.defineProperty(error, "message", { value: 7 });
        throw error;
      }),
      thenable: hostFunction(() => ({
        // biome-ignore lint/suspicious/noThenProperty: it is what the test is about
        get then(): never {
          throw new Error("/home/embedder then");
        },
      })),
      nothing: hostFunction(() => Promise.reject()),
    };
    await using sandbox = await Sandbox.create({
      isolation,
      functions,
      onEvent: () => {
        throw new Error("onEvent");
      },
    });
    const source = `
import host, traceback
told = []
for name in ${JSON.stringify(Object.keys(functions))}:
    try: await getattr(host, name).aio()
    except Exception as error: told.append("".join(traceback.format_exception(error)))
[len(told), [line for text in told for line in text.splitlines() if "home" in line or "node" in line or ".ts" in line]]`;
    const onCall = (): void => {
      throw new Error("onCall");
    };
    expect(await sandbox.run(source, { onCall })).toMatchObject({ value: [5, []] });
  });
});
