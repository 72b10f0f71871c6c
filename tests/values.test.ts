// Every kind of value goes there and back, behind each wall, as inputs and results and through functions of the host. In the direction
// Python -> host -> Python the oracle is Python itself: the same expression, evaluated anew.
import fc from "fast-check";
import { hostFunction, type Isolation, PythonFloat, Sandbox } from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anyValue, definitions, shown } from "./values-fixture.ts";
import { conversions, expressions, same } from "./values-table.ts";

const values = { exactFloats: true } as const;

describe.each<Isolation>(["inline", "worker", "process"])("%s", (isolation) => {
  let sandbox: Sandbox;
  const seen: unknown[] = [];
  beforeAll(async () => {
    const echo = hostFunction(
      (x) => {
        seen.push(x);
        return x;
      },
      { values: { shape: "maps", exactFloats: true } },
    );
    sandbox = await Sandbox.create({ isolation, functions: { echo }, limits: { wall: "60 s" } });
    await sandbox.run(definitions);
  });
  afterAll(() => sandbox.close());

  test("JavaScript -> Python -> JavaScript", async () => {
    const sent = fc.sample(anyValue, { seed: 2026, numRuns: 1500 });
    const { value } = await sandbox.run("sent", { inputs: { sent }, values });
    expect((value as unknown[]).map(shown)).toEqual(sent.map(shown));
  });

  test("the same through a function of the host, which sees what it was sent", async () => {
    const sent = fc.sample(anyValue, { seed: 7, numRuns: 300 });
    seen.length = 0;
    const source = "from host import echo\n[echo(value) for value in sent]";
    const { value } = await sandbox.run(source, { inputs: { sent }, values });
    expect(seen.map(shown)).toEqual(sent.map(shown));
    expect((value as unknown[]).map(shown)).toEqual(sent.map(shown));
  });

  test("Python -> JavaScript -> Python", async () => {
    const all = `[${expressions.join(",\n")}]`;
    const there = await sandbox.run(all, { values });
    const back = await sandbox.run(`${same}\ndifferences(back, ${all})`, {
      inputs: { back: there.value },
      values,
    });
    expect(back.value).toEqual([]);
    const called = `${same}\nfrom host import echo\ndifferences([echo(value) for value in ${all}], ${all})`;
    expect((await sandbox.run(called)).value).toEqual([]);
  });

  test("what becomes something else", async () => {
    const sent = conversions.map(([value]) => value);
    const { value } = await sandbox.run("[repr(x) for x in sent]", { inputs: { sent } });
    expect(value).toEqual(conversions.map(([, repr]) => repr));
    const back = await sandbox.run("[1.0, 2.5, bytearray(b'x'), '\\ud83d\\ude00', True, 2**53, -2**53]");
    expect(back.value).toEqual([1, 2.5, Uint8Array.of(120), "\u{1f600}", true, 2n ** 53n, -(2n ** 53n)]);
  });

  test("what is asked of values is asked of a lone one as well", async () => {
    const exact = async (source: string): Promise<unknown> => (await sandbox.run(source, { values })).value;
    expect([await exact("1.0"), await exact("1"), await exact("1.5")]).toEqual([new PythonFloat(1), 1, 1.5]);
    for (const source of ["float('nan')", "float('inf')", "2**60", "b'x'", "1j"]) {
      await expect(sandbox.run(source, { values: { shape: "json" } })).rejects.toMatchObject({
        code: "VALUE_NOT_COPIED",
        sandbox: "usable",
      });
    }
    const json = await sandbox.run("'text'", { values: { shape: "json" } });
    expect(json.value).toBe("text");
  });
});
