// The guest's one call of the host, as bytes, behind every wall: what is sent arrives, what is answered arrives, and whatever else is
// passed to it ends nobody but the guest.
import { expect, test } from "vitest";
import { answerFrame, answerKind, answerTrailerBytes } from "../src/host/calls/call-frames.ts";
import { checkEngine, checkGrants, type Isolation } from "../src/host/options/options.ts";
import { endingOf } from "../src/host/run-ending.ts";
import { encodeRun } from "../src/host/run-request.ts";
import { openWall } from "../src/host/walls/open-wall.ts";
import type { CallAnswers } from "../src/host/walls/served.ts";

const walls: readonly Isolation[] = ["inline", "worker", "process"];
const ignore = (): void => {};

async function runOn(isolation: Isolation, source: string, calls: CallAnswers | undefined) {
  const { plan } = checkGrants({ limits: { wall: "5 s" } }, isolation);
  const wall = await openWall(checkEngine({ isolation }, false), ignore);
  try {
    const granted = { ...plan, functions: calls !== undefined };
    await wall.begin(granted, { calls });
    return endingOf(await wall.run(encodeRun(source, {}), ignore), granted);
  } finally {
    await wall.kill(new Error("over"));
  }
}

const mirror = (delayMs: number): CallAnswers => ({
  answer: (frame) => {
    const answer = answerFrame(frame, answerKind.plain, 0, 0);
    if (delayMs === 0) return answer;
    return new Promise((resolve) => setTimeout(() => resolve(answer), delayMs));
  },
  isBusy: true,
  settled: async () => {},
});

test.each(walls)("%s: a request is answered with bytes, small and large", async (isolation) => {
  const source = `
import sandboa
[sandboa._host_call(request)[:-${answerTrailerBytes}] == request for request in (b"", b"x", bytes(range(256)), b"y" * 70_000)]`;
  expect(await runOn(isolation, source, mirror(0))).toMatchObject({ value: [true, true, true, true] });
});

test.each(["worker", "process"] as const)("%s: an answer may come later", async (isolation) => {
  const source = "import sandboa; sandboa._host_call(b'later' * 20_000)[:10]";
  const ending = await runOn(isolation, source, mirror(30));
  expect(ending).toMatchObject({ value: new TextEncoder().encode("laterlater") });
});

test.each(walls)(
  "%s: a host that fails to answer loses this sandbox, and not its process",
  async (isolation) => {
    const failing: CallAnswers = {
      ...mirror(0),
      answer: () => {
        throw new RangeError("a fault of ours");
      },
    };
    const run = runOn(isolation, "import sandboa; sandboa._host_call(b'')", failing);
    const ending = await run.catch((error: unknown) => ({ error }));
    expect(ending).toMatchObject({ error: { name: "SandboxLostError", code: "SANDBOX_CRASHED" } });
  },
);

test.each(walls)("%s: without grants nobody is asked", async (isolation) => {
  expect(await runOn(isolation, "import sandboa; sandboa._host_call(b'')", undefined)).toMatchObject({
    value: new Uint8Array(0),
  });
});

test.each(walls)("%s: what is larger than a value may be is an error of the guest's", async (isolation) => {
  const source = `
import sandboa, marshal
answer = sandboa._host_call(bytes(80 * 2 ** 20))
answer[-1], marshal.loads(answer)[0]`;
  expect(await runOn(isolation, source, mirror(0))).toMatchObject({ value: [2, "ValueError"] });
});

test.each(walls)("%s: a request that is no bytes object ends the guest alone", async (isolation) => {
  for (const argument of ["None", "-1", "2 ** 70", "[]", "'text' * 10_000", "object()"]) {
    const ending = await runOn(
      isolation,
      `import sandboa; sandboa._host_call(${argument}) and None`,
      mirror(0),
    );
    // Whatever lies in memory where a bytes object would have its content is sent, or the guest is over.
    if ("error" in ending) expect(ending.error).toMatchObject({ name: expect.stringMatching(/Error$/) });
    else expect(ending).toMatchObject({ value: null });
  }
});
