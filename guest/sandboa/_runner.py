"""Runs source for the host: one function, bytes in, bytes out, both in marshal format.

The guest can change everything in here; that harms the guest alone. Whatever comes back is treated as hostile by the
host, and no limit depends on this file.
"""

import gc
import linecache
import marshal
import os
import sys
import time
import types
from itertools import repeat

from sandboa import _ending, _finders, _hooks, _host, _host_loop, _host_module, _library, _report, _session_loop, _source, _values
from sandboa._builtins import __builtins__
from sandboa._hooks import get_events, get_profile, get_tool, get_trace, set_events, set_profile, set_trace

_runs = 0


def handle(request):
    """The host's only way in. Never raises for what the guest's program does."""
    action = None
    try:
        request = marshal.loads(request)
        action = request.pop("action")
        return marshal.dumps(_ACTIONS[action](**request), 4)
    except MemoryError:
        # Not even room to describe the guest's own MemoryError.
        return _report.OUT_OF_MEMORY
    except BaseException as error:
        if action not in ("run", "resume"):
            raise
        # A soft stop that came when the guest's own code was over. There is one in a run.
        try:
            _host_loop.end_run()
            _ending.flush()
            return marshal.dumps(_report.describe(error), 4)
        except BaseException:
            return _report.UNDESCRIBED
    finally:
        _report.restore_ballast()


def compile_library(modules):
    """At image time: leaves bytecode of these modules, and of what they import, in the bytecode cache."""
    for name in modules:
        __import__(name)
    return True


def prepare(modules):
    """At image time: what every sandbox finds already imported."""
    for name in modules:
        __import__(name)
    sys.pycache_prefix = None
    sys.dont_write_bytecode = True
    sys.path.insert(0, "")
    sys.stdout.reconfigure(line_buffering=True)
    sys.path_importer_cache.clear()
    _ending.begin_main()
    linecache.clearcache()
    gc.collect()
    gc.freeze()
    return True


def renew():
    """After a restore: what must differ from every other sandbox made of the same image."""
    # Not the one that was frozen: a collection at the end of a program is to find it.
    _ending.begin_main()
    modules = sys.modules
    if "random" in modules:
        modules["random"].seed()
    if "tempfile" in modules:
        modules["tempfile"]._name_sequence = None
    if "logging" in modules:
        modules["logging"]._startTime = time.time_ns()
    if "uuid" in modules:
        modules["uuid"]._node = None
    return True


def equip(argv, environment, zone, recursion, timeout_signal, functions, waits):
    """Before the first run: what the host chose for this sandbox."""
    sys.argv[:] = argv
    os.environ.clear()
    os.environ.update(environment)
    # Behind the program's own folder, as getpath.py of CPython has it. An empty name stands for the working directory.
    if folders := environment.get("PYTHONPATH"):
        sys.path[1:1] = folders.split(os.pathsep)
    time.timezone, time.altzone, time.daylight, *names = zone
    time.tzname = tuple(names)
    sys.setrecursionlimit(recursion)
    if timeout_signal:
        import signal

        signal.signal(timeout_signal, _raise_timeout)
        _ending.signals[timeout_signal] = _raise_timeout
    _host_module.install(functions, waits)
    _finders.Adapter.functions = functions
    return True


def _raise_timeout(_number, _frame):
    raise TimeoutError(_report.STOP_TEXT)


@_ending.placeless
def run(source, filename, inputs, finalize, records=None, value=True):
    """Runs one piece of source in __main__ (inputs: a dict, or its bytes where `records` is not None; value: whether that of the last expression is asked for) and describes how it ended; or that it waits for the host, and `resume` is to go on with it."""
    global _runs, _steps
    _runs += 1
    if filename is None:
        filename = f"<run {_runs}>"
    elif filename[:1] != "<":
        _ending.main_module().__file__ = filename
    if _steps is not None:
        # The host has given it up.
        _steps.close()
    _steps = _run(source, filename, inputs, records, finalize, value)
    return resume()


@_ending.placeless
def resume():
    """Goes on with a run that waits for the host."""
    global _steps
    for milliseconds in _steps:
        return {"end": "waiting", "timer": None if milliseconds < 0 else milliseconds}
    # The program's own frame is gone by now: it held what the program has made.
    # What it has raised holds that as well, so it stays where it can be taken from.
    (ending, is_whole), _steps = _result.pop(), None
    try:
        if is_whole:
            return _ending.end_program(ending)
        answer, failure = ending
        return answer if failure is None else _report.ending_of(failure)
    finally:
        _host_loop.end_run()
        _ending.flush()


_steps = None
_result = []
_ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes))


@_ending.placeless
def _run(source, filename, inputs, records, finalize, wants_value):
    """The steps of a run: gives the milliseconds that it waits at most whenever it waits for the host. What it has come to is left in _result: an answer, or what it has raised."""
    program = answer = failure = None
    try:
        try:
            namespace = _ending.main_module().__dict__
            namespace.update(inputs if records is None else _values.decode(inputs, records, _host.borrow))
            codes = _source.compile_source(source, filename, wants_value)
            first, *rest = codes
            context = _session_loop.context()
            if any(code.co_flags & _COROUTINE for code in codes):
                program = _in_loop(codes, namespace)
            try:
                _hooks.resume()
                if program is not None:
                    if _host.waits or not _finders.Adapter.functions:
                        value, stop = _session_loop.run(program)
                    else:
                        value, stop = yield from _session_loop.in_steps(program)
                    if stop is not None:
                        raise stop
                elif context is None:
                    value = eval(first, namespace)
                    if rest:
                        value = eval(rest[0], namespace)
                else:
                    value = context.run(eval, first, namespace)
                    if rest:
                        value = context.run(eval, rest[0], namespace)
            finally:
                # Here and without a loop or a call of our own functions: those would be seen by what is taken away.
                profile, trace, tools = get_profile(), get_trace(), tuple(filter(get_tool, range(6)))
                if profile is not None or trace is not None or tools:
                    set_profile(None)
                    set_trace(None)
                    _hooks.taken = profile, trace, tuple(zip(tools, map(get_events, tools)))
                    any(map(set_events, tools, repeat(0)))
            if type(value) in _ATOMS:
                answer = {"end": "value", "value": value}
            else:
                content, records = _values.encode(value)
                answer = {"end": "encoded", "value": content, "records": records}
        except BaseException as error:
            failure = error
    finally:
        if program is not None:
            _session_loop.end(program)
    _result[:] = (([answer, failure], finalize),)


async def _in_loop(codes, namespace):
    """A program that awaits anything: all of it finds a running loop, and what it calls of the host last is awaited. Its value, or the StopIteration that a coroutine cannot raise."""
    value = None
    try:
        for code in codes:
            value = eval(code, namespace)
            if code.co_flags & _COROUTINE:
                value = await value
        if type(value) is types.CoroutineType and value.cr_code.co_filename == "<host>":
            value = await value
    except StopIteration as stop:
        return None, stop
    return value, None


# inspect.CO_COROUTINE
_COROUTINE = 0x80


_finders.install()
_library.install()

_ACTIONS = {"compile": compile_library, "prepare": prepare, "renew": renew, "equip": equip, "run": run, "resume": resume}
