// Which modules of CPython's tests are run in the box: those that exercise files. The quick ones take a second or two each, and are
// part of the gate where the suite has been fetched.

export const quickModules: readonly string[] = [
  ..."test_bufio test_file test_filecmp test_fileinput test_fileio test_fnmatch test_genericpath".split(" "),
  ..."test_glob test_largefile test_linecache test_mailbox test_os test_pathlib test_posixpath".split(" "),
  ..."test_shutil test_stat test_univnewlines test_zoneinfo".split(" "),
];

export const testModules: readonly string[] = [
  ...quickModules,
  ..."test_dbm_dumb test_fcntl test_io test_mmap test_poll test_select test_shelve test_sqlite3".split(" "),
  ..."test_tarfile test_tempfile test_zipfile test_zipimport".split(" "),
].sort();
