// `npm run conformance:fetch`: brings CPython's own tests for the box's Python from Debian's packages into .cpython-tests, which git
// ignores: they are never part of this repository. Needs apt, whose own lists and caches stay as they are.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const python = "3.14";
/** The tests proper, and test.support, which Debian ships with the library. */
const packages = [`libpython${python}-testsuite`, `libpython${python}-stdlib`];
/** Parts of Python's library that the box lacks and that tests of files need: run from there, in the box. */
const lacking = ["dbm", "zoneinfo/_zoneinfo.py"];
/** The newest of Debian: its stable release does not have this Python yet. */
const release = "sid";

const root = resolve(import.meta.dirname, "..");
const target = join(root, ".cpython-tests");
const work = mkdtempSync(join(tmpdir(), "cpython-tests-"));
const run = (command, args, cwd = work) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Where this machine gets Debian's packages from. */
function mirror() {
  const targets = run("apt-get", [
    "indextargets",
    "--format",
    "$(ORIGIN) $(REPO_URI)",
    "Created-By: Packages",
  ]);
  const uri = /^Debian (\S+\/debian\/)$/m.exec(targets)?.[1];
  if (uri === undefined) throw new Error("apt knows no mirror of Debian: run apt-get update once");
  return uri;
}

function fetchPackages() {
  for (const folder of ["lists/partial", "cache/archives/partial", "parts"])
    mkdirSync(join(work, folder), { recursive: true });
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const uri = mirror();
  writeFileSync(join(work, "sources.list"), `deb [signed-by=${keys}] ${uri} ${release} main\n`);
  const options = [
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    `Dir::Etc::sourcelist=${work}/sources.list`,
    `Dir::Etc::sourceparts=${work}/parts`,
    "Acquire::Languages=none",
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  run("apt-get", [...options, "update"]);
  run("apt-get", [...options, "download", ...packages]);
  return readdirSync(work).filter((name) => name.endsWith(".deb"));
}

try {
  if (!existsSync("/usr/bin/apt-get"))
    throw new Error("there is no apt-get: this needs Debian or a relative");
  const archives = fetchPackages();
  const version = run("dpkg-deb", [
    "-f",
    archives.find((name) => name.includes("testsuite")),
    "Version",
  ]).trim();
  for (const archive of archives) run("dpkg-deb", ["-x", archive, "tree"]);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  const library = join(work, `tree/usr/lib/python${python}`);
  cpSync(join(library, "test"), join(target, "suite/test"), { recursive: true });
  for (const part of lacking)
    cpSync(join(library, part), join(target, "suite/lacking", part), { recursive: true });
  writeFileSync(join(target, "VERSION"), `${version}\n`);
  const { Sandbox } = await import(join(root, "dist/index.js"));
  const sandbox = await Sandbox.create();
  const { value } = await sandbox.run("import platform; platform.python_version()");
  await sandbox.close();
  console.log(`CPython's tests: ${version} in ${target}\nPython in the box: ${value}`);
  if (!value.startsWith(`${python}.`)) throw new Error(`these are not the tests of Python ${value}`);
} catch (error) {
  console.error(`cpython-tests: ${error.stderr || error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
