// What a guest is refused for want of a grant, behind each of the three walls: what is told, what is not, how often, and how much.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Denial,
  hostDirectory,
  hostFile,
  type Isolation,
  memoryFile,
  observed,
  overlay,
  Sandbox,
  type SandboxOptions,
  scratch,
} from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-denials-"));
  writeFileSync(join(folder, "a.txt"), "a");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const attempt = `
import os, socket
def attempt(*calls):
    for call in calls:
        try:
            call()
        except (OSError, ImportError, EOFError):
            pass
`;

/** What distinguishes it, in one word or two. */
function brief(denial: Denial): string {
  switch (denial.kind) {
    case "file":
      return `${denial.access} ${denial.path} ${denial.errno} ${denial.count}`;
    case "quota":
      return `${denial.option} ${denial.path} ${denial.errno} ${denial.count}`;
    case "network":
      return `${denial.access} ${denial.host} ${denial.port} ${denial.count}`;
    case "module":
    case "library":
      return `${denial.kind} ${denial.name} ${denial.count}`;
    case "stdin":
      return `stdin ${denial.count}`;
  }
}

async function denied(sandbox: Sandbox, calls: string): Promise<string[]> {
  await sandbox.run(`${attempt}attempt(${calls})`);
  return sandbox.denials().denials.map(brief);
}

describe.each<Isolation>(["inline", "worker", "process"])("%s", (isolation) => {
  const create = (options: SandboxOptions = {}): Promise<Sandbox> =>
    Sandbox.create({ isolation, ...options });

  test("paths that nothing grants, as the guest spelled them and made absolute", async () => {
    await using sandbox = await create({ files: { "/in/a.csv": memoryFile("x") } });
    const calls = [
      'lambda: open("/etc/passwd")',
      'lambda: open("/etc/./x/..//passwd")',
      'lambda: open("sub/new.txt", "w")',
      'lambda: open("/log", "a")',
      'lambda: open("/both", "r+")',
      'lambda: open("/once", "x")',
      'lambda: os.stat("/in/b.csv")',
      'lambda: os.listdir("/data")',
      'lambda: os.makedirs("/out")',
      'lambda: os.symlink("a", "/link")',
      'lambda: os.remove("/var/run/x")',
      'lambda: os.chmod("/var/x", 0)',
      'lambda: os.rename("/here", "/there")',
      'lambda: os.open(b"/b\\xff", 0)',
    ];
    expect(await denied(sandbox, calls.join(", "))).toEqual([
      "read /etc/passwd ENOENT 2",
      "write /sub/new.txt ENOENT 1",
      "append /log EACCES 1",
      "update /both ENOENT 1",
      "create /once EACCES 1",
      "look /in/b.csv ENOENT 1",
      "list /data ENOENT 1",
      "makeDirectory /out EACCES 1",
      "create /link EACCES 1",
      "remove /var/run/x ENOENT 1",
      "change /var/x ENOENT 1",
      "remove /here ENOENT 1",
      "create /there ENOENT 1",
      "read /b\udcff ENOENT 1",
    ]);
    const { denials, dropped } = sandbox.denials();
    expect(dropped).toBe(0);
    expect(denials.map(({ allowedBy }) => allowedBy).slice(0, 10)).toEqual([
      'files: { "/etc/passwd": hostFile("/etc/passwd", "read") }',
      'files: { "/sub/new.txt": hostFile("/sub/new.txt", "write") }',
      'files: { "/log": hostFile("/log", "append") }',
      'files: { "/both": hostFile("/both", "update") }',
      'files: { "/once": hostFile("/once", "create") }',
      'files: { "/in/b.csv": hostFile("/in/b.csv", "read") }',
      'files: { "/data": hostDirectory("/data", "read") }',
      'files: { "/out": scratch({ bytes: "10 MiB" }) }',
      'files: { "/link": hostFile("/link", "create") }',
      'files: { "/var/run": hostDirectory("/var/run", "write") }',
    ]);
    expect(denials.map(({ flag }) => flag).slice(0, 8)).toEqual([
      "--read /etc/passwd",
      "--write /sub/new.txt",
      "--append /log",
      "--update /both",
      "--create /once",
      "--read /in/b.csv",
      "--read /data",
      "--scratch /out=10MiB",
    ]);
    // A name that is not UTF-8 can be granted by nobody.
    expect(denials.at(-1)).toMatchObject({ allowedBy: undefined, flag: undefined });
  });

  test("modes and quotas of what was granted, and nothing of a program's ordinary life", async () => {
    const path = join(folder, "a.txt");
    await using sandbox = await create({
      files: {
        "/a.txt": hostFile(path, "read"),
        "/given": memoryFile("x"),
        "/new": hostFile(join(folder, `new-${isolation}`), "create", { bytes: 1000 }),
        "/tmp": scratch({ bytes: "1 MiB" }),
        "/few": scratch({ bytes: "1 MiB", files: 2 }),
        "/dir": hostDirectory(folder, "read"),
      },
    });
    const calls = [
      // Ordinary.
      'lambda: open("/tmp/none")',
      'lambda: open("/dir/none")',
      'lambda: (os.mkdir("/tmp/d"), os.chmod("/tmp/d", 0), open("/tmp/d/x"))',
      'lambda: os.mkdir("/tmp")',
      'lambda: os.chdir("/tmp") or open("none")',
      'lambda: open("/a.txt/x")',
      'lambda: open("/lib/python3.14/none")',
      'lambda: open("/lib/python3.14/os.py", "w")',
      'lambda: open("/dev/none")',
      'lambda: __import__("no_such_module")',
      'lambda: open("/")',
      // Denied.
      'lambda: open("/a.txt", "w")',
      'lambda: open("/given", "r+")',
      'lambda: open("/dir/made", "w")',
      'lambda: os.remove("/dir/a.txt")',
      'lambda: open("/new", "wb").write(b"x" * 2000)',
      'lambda: open("/tmp/big", "wb").write(b"x" * 2**21)',
      'lambda: [open(f"/few/{i}", "w") for i in range(5)]',
    ];
    expect(await denied(sandbox, calls.join(", "))).toEqual([
      "write /a.txt EACCES 1",
      "update /given EACCES 1",
      expect.stringMatching(/^write \/dir\/made E(ROFS|ACCES) 1$/),
      expect.stringMatching(/^remove \/dir\/a\.txt E(ROFS|ACCES) 1$/),
      expect.stringMatching(/^bytes \/new EFBIG \d+$/),
      expect.stringMatching(/^bytes \/tmp ENOSPC \d+$/),
      "files /few ENOSPC 1",
    ]);
    const texts = sandbox.denials().denials.map(({ allowedBy }) => allowedBy);
    expect(texts).toEqual([
      `files: { "/a.txt": hostFile(${JSON.stringify(path)}, "update") }`,
      'files: { "/given": hostFile("…", "update") }',
      `files: { "/dir": hostDirectory(${JSON.stringify(folder)}, "write") }`,
      `files: { "/dir": hostDirectory(${JSON.stringify(folder)}, "write") }`,
      expect.stringContaining("bytes: more than 1000"),
      'files: { "/tmp": scratch({ …, bytes: more than 1048576 }) }',
      'files: { "/few": scratch({ …, files: more than 2 }) }',
    ]);
  });

  test("which account of a place that the host serves was full", async () => {
    const own = mkdtempSync(join(folder, "quota-"));
    await using sandbox = await create({
      files: {
        "/dir": hostDirectory(own, "write", { files: 2, bytes: 100 }),
        "/over": overlay(hostDirectory(own, "read"), { bytes: "1 MiB", files: 3 }),
        "/shared": scratch({ bytes: "1 MiB", files: 2, shared: true }),
        "/seen": observed(scratch({ bytes: 4000, files: 2, shared: true }), () => {}),
      },
    });
    const many = ["dir", "over", "shared", "seen"].map(
      (place) => `lambda: [open(f"/${place}/{i}", "w").close() for i in range(5)]`,
    );
    const large = ["dir", "seen"].map((place) => `lambda: open("/${place}/0", "wb").write(bytes(5000))`);
    expect(await denied(sandbox, [...many, ...large].join(", "))).toEqual([
      "files /dir EDQUOT 1",
      "files /over ENOSPC 1",
      "files /shared ENOSPC 1",
      "files /seen ENOSPC 1",
      expect.stringMatching(/^bytes \/dir EDQUOT \d+$/),
      expect.stringMatching(/^bytes \/seen ENOSPC \d+$/),
    ]);
    expect(sandbox.denials().denials[0]?.allowedBy).toContain("{ files: more than 2 }");
  });

  test("host memory is not the scratch's quota", async () => {
    await using sandbox = await create({
      files: { "/tmp": scratch({ bytes: "64 MiB" }) },
      limits: { hostMemory: "2 MiB" },
    });
    const [only] = await denied(sandbox, 'lambda: open("/tmp/big", "wb").write(b"x" * 2**22)');
    expect(only).toMatch(/^limits\.hostMemory undefined ENOSPC/);
  });

  test("the network, modules, native code and standard input", async () => {
    await using sandbox = await create();
    const calls = [
      'lambda: socket.create_connection(("example.com", 443))',
      'lambda: socket.gethostbyname("name.example")',
      'lambda: socket.socket().connect(("10.1.2.3", 80))',
      'lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))',
      'lambda: socket.socket().bind(("127.0.0.1", 8000))',
      'lambda: __import__("ctypes")',
      'lambda: __import__("_imp").create_dynamic(__import__("importlib.machinery").machinery.ModuleSpec("evil", None, origin="/lib/python3.14/evil.so"))',
      "lambda: input()",
    ];
    expect(await denied(sandbox, calls.join(", "))).toEqual([
      "resolve example.com 443 1",
      "resolve name.example undefined 1",
      "connect 10.1.2.3 80 1",
      "send 192.0.2.1 53 1",
      "listen 127.0.0.1 8000 1",
      "module _ctypes 1",
      "library /lib/python3.14/evil.so 1",
      expect.stringMatching(/^stdin \d$/),
    ]);
    const [module, , input] = sandbox.denials().denials.slice(-3);
    // As for every module that is not there.
    expect(module).toMatchObject({
      errno: "ENOENT",
      allowedBy: 'modules: ["_ctypes"]',
      flag: "--module _ctypes",
    });
    expect(input).toMatchObject({ allowedBy: "stdin: hostStdin", flag: "--stdin" });
  });

  test("functions of the host where none were granted; a report with source that is no file asks for none", async () => {
    await using sandbox = await create({});
    for (const source of ["import host", "from host.billing import invoice", "exec('1 / 0')", "eval('1 +')"])
      await expect(sandbox.run(source)).rejects.toMatchObject({ name: "PythonError" });
    const { denials } = sandbox.denials();
    expect(denials.map(brief)).toEqual(["module host 2"]);
    expect(denials).toMatchObject([{ allowedBy: "functions: { name: hostFunction(…) }", flag: undefined }]);
  });

  test("each once, with its count over all runs; nothing of ours, nothing of before a reset", async () => {
    const told: string[] = [];
    await using sandbox = await create({
      onEvent: (event) => {
        if (event.type === "denial") told.push(brief(event.denial));
      },
    });
    expect(sandbox.denials()).toEqual({ denials: [], dropped: 0 });
    const imports =
      "import argparse, asyncio, decimal, json, logging, shutil, sqlite3, tempfile, unittest, urllib.request, zipfile, zoneinfo";
    await sandbox.run(imports);
    expect(sandbox.denials().denials).toEqual([]);
    expect(await denied(sandbox, '*[lambda: open("/x")] * 3')).toEqual(["read /x ENOENT 3"]);
    expect(await denied(sandbox, 'lambda: open("/x"), lambda: open("/y")')).toEqual([
      "read /x ENOENT 4",
      "read /y ENOENT 1",
    ]);
    expect(told).toEqual(["read /x ENOENT 1", "read /y ENOENT 1"]);
    await sandbox.reset();
    expect(sandbox.denials().denials).toEqual([]);
    expect(await denied(sandbox, 'lambda: open("/x")')).toEqual(["read /x ENOENT 1"]);
  });

  test("no more is kept than was said, whatever the guest does", async () => {
    let events = 0;
    await using sandbox = await create({ onEvent: () => (events += 1) });
    await sandbox.run(
      `${attempt}attempt(*[lambda i=i: open(f"/{i}/" + "n" * 200 + "/" + "m" * 3000) for i in range(300)])`,
    );
    await sandbox.run(`${attempt}attempt(*[lambda i=i: open(f"/{i % 400}") for i in range(1000)])`);
    const { denials, dropped } = sandbox.denials();
    expect([denials.length, dropped, events]).toEqual([256, 44 + 1000, 256]);
  });

  test("a long path is cut, and then nothing is suggested", async () => {
    await using sandbox = await create();
    await denied(sandbox, 'lambda: open("/" + "/".join(["n" * 200] * 10))');
    const [denial] = sandbox.denials().denials;
    expect(denial).toMatchObject({ kind: "file", allowedBy: undefined, flag: undefined });
    expect(denial?.kind === "file" && denial.path.length).toBe(1024);
  });

  test("a program that is stopped tells what it was refused", async () => {
    await using sandbox = await create({ limits: { fuel: 50_000_000 } });
    const run = sandbox.run("try: open('/secret')\nexcept OSError: pass\nwhile True: pass");
    await expect(run).rejects.toMatchObject({ code: "LIMIT_FUEL" });
    expect(sandbox.denials().denials.map(brief)).toEqual(["read /secret ENOENT 1"]);
  });
});

test("granted standard input that is empty is no denial", async () => {
  await using sandbox = await Sandbox.create({ stdin: "x" });
  expect(await denied(sandbox, "lambda: input(), lambda: input()")).toEqual([]);
});
