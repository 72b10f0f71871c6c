// Which modules of CPython's tests are run in the box: those whose results depend on what the box does itself, and not on
// CPython's C code alone, and that take seconds. The quick ones, of files, are part of the gate where the suite has been fetched.

export const quickModules: readonly string[] = [
  ..."test_bufio test_file test_filecmp test_fileinput test_fileio test_fnmatch test_genericpath".split(" "),
  ..."test_glob test_largefile test_linecache test_mailbox test_os test_pathlib test_posixpath".split(" "),
  ..."test_shutil test_stat test_univnewlines test_zoneinfo".split(" "),
];

export const testModules: readonly string[] = [
  ...quickModules,
  // Of files.
  ..."test_bz2 test_dbm_dumb test_fcntl test_gzip test_io test_mimetypes test_mmap".split(" "),
  ..."test_netrc test_poll test_posix test_select test_shelve test_sqlite3 test_tarfile".split(" "),
  ..."test_tempfile test_tokenize test_tomllib test_unicode_file".split(" "),
  ..."test_unicode_file_functions test_urllib test_wave test_zipapp".split(" "),
  ..."test_zipfile test_zipimport test_zstd".split(" "),
  // Of the process, its clocks and its randomness.
  ..."test__locale test_calendar test_datetime test_errno test_getpass test_gettext test_locale".split(" "),
  ..."test_logging test_platform test_random test_sched test_secrets test_signal test_site".split(" "),
  ..."test_strftime test_strptime test_time test_timeit test_uuid".split(" "),
  // Of asyncio: what needs neither sockets nor threads.
  ..."test_asyncgen test_asyncio.test_eager_task_factory test_asyncio.test_locks".split(" "),
  ..."test_asyncio.test_queues test_asyncio.test_runners test_asyncio.test_timeouts".split(" "),
  ..."test_asyncio.test_waitfor".split(" "),
  ..."test_context test_contextlib_async test_coroutines test_unittest.test_async_case".split(" "),
  // Of what the box runs programs with: import, compile, tracebacks, hooks, warnings, pickling, collection.
  ..."test_bdb test_builtin test_cmd test_code test_code_module test_codeop".split(" "),
  ..."test_contextlib test_copyreg test_cprofile test_dataclasses test_doctest test_eof".split(" "),
  ..."test_except_star test_exception_group test_exceptions test_finalization test_frame".split(" "),
  ..."test_future_stmt test_gc test_generators test_grammar test_importlib test_inspect".split(" "),
  ..."test_marshal test_module test_pickle test_pkg test_print test_profile test_pstats".split(" "),
  ..."test_py_compile test_raise test_runpy test_source_encoding test_support test_sys".split(" "),
  ..."test_sys_setprofile test_sys_settrace test_trace test_traceback test_tracemalloc".split(" "),
  ..."test_types test_utf8source test_warnings test_weakref test_zipimport_support".split(" "),
].sort();
