// Where the image's C library or Pyodide's changes would answer otherwise than CPython on Linux. What is expected is what CPython 3.14
// gives there, as a user who is not root.
import { memoryFile, Sandbox } from "sandboa";
import { afterAll, beforeAll, expect, test } from "vitest";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create({ isolation: "inline", stdin: "one\ntwo\nthree\n" });
});
afterAll(() => sandbox.close());

const value = async (source: string): Promise<unknown> => (await sandbox.run(source)).value;

test.each([
  ["os.kill(os.getpid(), 100)", "OSError EINVAL"],
  ["os.kill(os.getpid(), 65)", "OSError EINVAL"],
  ["signal.raise_signal(100)", "OSError EINVAL"],
  ["os.kill(777, 0)", "ProcessLookupError ESRCH"],
  ["os.kill(-777, 15)", "ProcessLookupError ESRCH"],
  ["os.killpg(777, 0)", "ProcessLookupError ESRCH"],
  ["os.kill('1', 0)", "TypeError None"],
  ["os.kill(os.getpid(), 2**40)", "OverflowError None"],
  ["os.killpg(-5, 0)", "OSError EINVAL"],
  ["signal.raise_signal(-5)", "OSError EINVAL"],
  ["signal.raise_signal(-70000)", "OSError EINVAL"],
  ["signal.raise_signal(2**40)", "OverflowError None"],
  ["time.strftime('%Y', None)", "TypeError None"],
  ["time.strftime('%k', 5)", "TypeError None"],
  ["time.strftime()", "TypeError None"],
  ["[os.kill(pid, 0) for pid in (os.getpid(), 0, -os.getpgid(0))]", "None"],
])("%s: %s", async (call, expected) => {
  const source = `import errno, os, signal, time
try: got = ${call} and None
except Exception as error: got = f"{type(error).__name__} {errno.errorcode.get(getattr(error, 'errno', None))}"
str(got)`;
  expect(await value(source)).toBe(expected);
});

test("a signal of one's own arrives", async () => {
  const source = `import os, signal
got = []
signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number == signal.SIGUSR1))
os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
got`;
  expect(await value(source)).toEqual([true, true]);
});

test.each([
  ["%k|%l|%P", " 7|" + " 7|am"],
  ["%-k|%02l|%_H", "7|07| 7"],
  ["%^a %^B|%#p", "FRI JANUARY|am"],
  ["%H:%M:%S,%3N", "07:05:09,%3N"],
  ["%Q %i %:z %+ %E", "%Q %i %:z %+ %E"],
  ["100% %%k %%%k a%", "100% %k % 7 a%"],
  ["%s", "1704438309"],
  ["%d.%m.%Y %-d %5Y %Ey", "05.01.2024 5 02024 24"],
  ["", ""],
])("strftime(%j)", async (format, expected) => {
  const moment = "datetime.datetime(2024, 1, 5, 7, 5, 9)";
  const source = `import datetime, time
moment = ${moment}
[time.strftime(${JSON.stringify(format)}, moment.timetuple()), moment.strftime(${JSON.stringify(format)}.replace('%:z', '%%:z'))]`;
  expect(await value(source)).toEqual([expected, expected]);
});

test("what stands for functions of C is like one: no method in a class, and pickled by its name", async () => {
  const source = `import inspect, os, pickle, signal, time
class Clock: format, kill, signal = time.strftime, os.kill, signal.raise_signal
clock = Clock()
clock.kill(os.getpid(), 0)
[clock.format("%Y", (2024, 1, 7, 5, 4, 9, 6, 7, 0)), pickle.loads(pickle.dumps(time.strftime)) is time.strftime, repr(os.kill), str(inspect.signature(os.kill)), signal.raise_signal.__module__, time.strftime.__module__]`;
  const names = ["<built-in function kill>", "(pid, signal, /)", "signal", "time"];
  expect(await value(source)).toEqual(["2024", true, ...names]);
});

test("a time without a zone has that of the program, and much text takes little memory", async () => {
  const times = "[(2024, 1, 7, 5, 4, 9, 6, 7, dst) for dst in (0, -1)]";
  const source = `import time\n[time.strftime("%Y %Z end", moment) for moment in ${times}]`;
  expect(await value(source)).toEqual(["2024 UTC end", "2024 UTC end"]);
  expect(await value("import time\nlen(time.strftime('%d x' * 10**6 + '%P', time.gmtime(0)))")).toBe(
    4_000_002,
  );
});

test("the seconds since 1970 of a time in a granted zone", async () => {
  await using there = await Sandbox.create({ isolation: "inline", timeZone: "Europe/Berlin" });
  const source = "import datetime\ndatetime.datetime(2024, 1, 5).strftime('%s')";
  expect((await there.run(source)).value).toBe("1704409200");
});

test("there is no browser, unless a program brings one", async () => {
  const source = `import webbrowser
try: found = webbrowser.get()
except webbrowser.Error as error: found = str(error)
opened = [webbrowser.open("https://example.com")]
class Mine(webbrowser.BaseBrowser):
  def open(self, url, new=0, autoraise=True): opened.append(url); return True
webbrowser.register("mine", None, Mine())
opened.append(webbrowser.open_new("https://example.org"))
[found, *opened]`;
  const found = "could not locate runnable browser";
  expect(await value(source)).toEqual([found, false, "https://example.org", true]);
});

test("which of several browsers is asked first, and a module of the program's own of that name", async () => {
  await using there = await Sandbox.create({
    isolation: "inline",
    files: { "/mine/webbrowser.py": memoryFile("mine = True") },
  });
  const source = `import webbrowser
class Named(webbrowser.BaseBrowser):
  def open(self, url, new=0, autoraise=True): opened.append(self.name); return True
opened = []
webbrowser.register("first", None, Named("first"))
webbrowser.register("second", None, Named("second"), preferred=True)
webbrowser.open("x")
[*opened, webbrowser.get().name, webbrowser._tryorder]`;
  expect((await there.run(source)).value).toEqual(["second", "second", ["second", "first"]]);
  await there.reset();
  const own = "import sys; sys.path.insert(0, '/mine'); import webbrowser; webbrowser.mine";
  expect((await there.run(own)).value).toBe(true);
});

test("an executor that cannot start a thread: whoever expects that goes on, and its loop ends", async () => {
  const source = `import asyncio
async def main():
  try: return await asyncio.to_thread(len, "abc")
  except RuntimeError: return "alone"
asyncio.run(main())`;
  expect(await value(source)).toBe("alone");
});

test("exit() and quit() end a run, and the next one still has its standard input", async () => {
  expect(await value("input()")).toBe("one");
  expect(await sandbox.run("exit()")).toMatchObject({ exitCode: 0 });
  expect(await value("input()")).toBe("two");
  expect(await sandbox.run("quit(3)")).toMatchObject({ exitCode: 3 });
  expect(await value("input()")).toBe("three");
});
