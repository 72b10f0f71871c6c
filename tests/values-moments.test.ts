// Times keep their moment, and instances their class, where that is less simple than it looks. The guest itself, which is CPython, is the judge.
import { PythonDate, PythonDateTime, PythonTime, Sandbox } from "sandboa";
import { expect, test } from "vitest";

const hourUs = 3_600_000_000;
const autumn = (offset: number, zone: string | undefined, fold = 0): PythonDateTime =>
  new PythonDateTime(new PythonDate(2020, 10, 25), new PythonTime({ hour: 2, fold, offset, zone }));

async function isoOf(value: unknown): Promise<unknown> {
  await using sandbox = await Sandbox.create();
  return (await sandbox.run("[x.isoformat(), x.fold, str(x.tzinfo)]", { inputs: { x: value } })).value;
}

test.each([
  [
    "the first of an hour that comes twice",
    autumn(2 * hourUs, "Europe/Berlin"),
    ["2020-10-25T02:00:00+02:00", 0, "Europe/Berlin"],
  ],
  [
    "the second, without its fold",
    autumn(hourUs, "Europe/Berlin"),
    ["2020-10-25T02:00:00+01:00", 1, "Europe/Berlin"],
  ],
  [
    "an offset that the zone does not have",
    autumn(0, "Europe/Berlin"),
    ["2020-10-25T02:00:00+00:00", 0, "UTC"],
  ],
  ["a zone that is unknown here", autumn(hourUs, "No/Where"), ["2020-10-25T02:00:00+01:00", 0, "UTC+01:00"]],
])("%s", async (_, value, expected) => {
  expect(await isoOf(value)).toEqual(expected);
});

test("a time in a zone that is unknown here, without an offset, is an error and not another time", async () => {
  await using sandbox = await Sandbox.create();
  const inputs = { x: new PythonTime({ hour: 1, zone: "No/Where" }) };
  await expect(sandbox.run("x", { inputs })).rejects.toMatchObject({
    name: "PythonError",
    type: "ValueError",
    pythonMessage: expect.stringContaining("No/Where"),
  });
});

test("dataclasses with fields that are none, exceptions that are dataclasses, and complex numbers of a class of their own", async () => {
  await using sandbox = await Sandbox.create();
  const { value } = await sandbox.run(`
from dataclasses import dataclass, InitVar
from typing import ClassVar

@dataclass
class Point:
    x: int
    kind: ClassVar[str] = "point"
    scale: InitVar[int] = 1

@dataclass
class Failure(Exception):
    code: int

class Phase(complex):
    pass

[Point(3), Failure(7), Phase(-0.0, 2)]`);
  const check = "[type(x[0]) is Point, x[0], type(x[1]) is Failure, x[1].code, x[2] == complex(-0.0, 2)]";
  const back = await sandbox.run(`${check}[:1] + [${check}[1] == Point(3)] + ${check}[2:]`, {
    inputs: { x: value },
  });
  expect(back.value).toEqual([true, true, true, 7, true]);
});
