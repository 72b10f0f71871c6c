// Which parts of the standard library an image holds ready, and which built-in extension modules it leaves out.

/** Imported before the snapshot: small, and used by nearly every program. */
export const preloadedModules: readonly string[] = [
  "collections", "contextlib", "copy", "dataclasses", "datetime", "enum", "functools", "io", "itertools", "json", "math",
  "operator", "os", "random", "re", "string", "struct", "time", "traceback", "typing",
];

/** Compiled when the image is built, so that importing them is quick. */
export const bytecodeModules: readonly string[] = [
  "argparse", "ast", "asyncio", "base64", "bisect", "calendar", "configparser", "csv", "decimal", "difflib", "email",
  "email.message", "fractions", "getpass", "glob", "gzip", "hashlib", "heapq", "html", "html.parser", "http.client",
  "inspect", "ipaddress", "json.tool", "logging", "pathlib", "pickle", "platform", "pprint", "queue", "runpy", "secrets",
  "shutil", "socket", "sqlite3", "statistics", "subprocess", "tarfile", "tempfile", "textwrap", "timeit", "tomllib",
  "unittest", "urllib.parse", "urllib.request", "uuid", "xml.etree.ElementTree", "zipfile",
];

/**
 * Built-in extension modules that no guest gets unless it is granted them by name: they exist to test CPython, to inspect
 * other processes or to call native code, and can crash the interpreter at will.
 */
export const refusedByDefault: readonly string[] = [
  "_ctypes", "_remote_debugging", "_testbuffer", "_testcapi", "_testclinic", "_testclinic_limited",
  "_testinternalcapi", "_testlimitedcapi", "_xxtestfuzz", "xxsubtype",
];
