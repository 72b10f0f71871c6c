"""Runs source for the host: one function, bytes in, bytes out, both in marshal format.

The guest can change everything in here; that harms the guest alone. Whatever comes back is treated as hostile by the
host, and no limit depends on this file.
"""

import ast
import gc
import io
import linecache
import marshal
import os
import sys
import time
import traceback
import types
from importlib.machinery import PathFinder

from sandboa import _host, _host_loop, _host_module, _values

_LIBRARY = os.path.dirname(os.path.dirname(__file__))
_OWN = (os.path.dirname(__file__), os.path.join(_LIBRARY, "asyncio"))
_CALLS = (os.path.join(os.path.dirname(__file__), "_host"), "<host>")
_TEXT_LIMIT = 1 << 16
_TRACEBACK_LIMIT = 1 << 18
# Given up when memory runs out, so that the error can still be described.
_BALLAST_BYTES = 1 << 19

_ballast = bytearray(_BALLAST_BYTES)
_OUT_OF_MEMORY = marshal.dumps(
    {"end": "error", "type": "MemoryError", "message": "", "traceback": "MemoryError\n"}, 4
)
_loop_runner = None
_runs = 0


def handle(request):
    """The host's only way in. Never raises for what the guest's program does."""
    global _ballast
    action = None
    try:
        request = marshal.loads(request)
        action = request.pop("action")
        return marshal.dumps(_ACTIONS[action](**request), 4)
    except MemoryError:
        # Not even room to describe the guest's own MemoryError.
        return _OUT_OF_MEMORY
    except BaseException as error:
        if action not in ("run", "resume"):
            raise
        # A soft stop that came when the guest's own code was over. There is one in a run.
        _host_loop.end_run()
        _flush()
        return marshal.dumps(_describe(error), 4)
    finally:
        # Only now: what is answered needs its room until it is encoded.
        if _ballast is None:
            try:
                _ballast = bytearray(_BALLAST_BYTES)
            except MemoryError:
                pass


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
    _begin_main()
    linecache.clearcache()
    gc.collect()
    gc.freeze()
    return True


def _begin_main():
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__


def renew():
    """After a restore: what must differ from every other sandbox made of the same image."""
    # Not the one that was frozen: a collection at the end of a program is to find it.
    _begin_main()
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
    time.timezone, time.altzone, time.daylight, *names = zone
    time.tzname = tuple(names)
    sys.setrecursionlimit(recursion)
    if timeout_signal:
        import signal

        signal.signal(timeout_signal, _raise_timeout)
    _host_module.install(functions, waits)
    _EventLoopAdapter.functions = functions
    return True


def _raise_timeout(_number, _frame):
    raise TimeoutError("the time or fuel of this run is spent")


def run(source, filename, inputs, finalize, records=None, value=True):
    """Runs one piece of source in __main__ (inputs: a dict, or its bytes where `records` is not None; value: whether that of the last expression is asked for) and describes how it ended; or that it waits for the host, and `resume` is to go on with it."""
    global _runs, _steps
    _runs += 1
    if filename is None:
        filename = f"<run {_runs}>"
    else:
        sys.modules["__main__"].__file__ = filename
    # As files of Python may begin.
    source = source.removeprefix("\ufeff")
    if _steps is not None:
        # The host has given it up.
        _steps.close()
    _steps = _run(source, filename, inputs, records, finalize, value)
    return resume()


def resume():
    """Goes on with a run that waits for the host."""
    global _steps, _is_final
    for milliseconds in _steps:
        return {"end": "waiting", "timer": None if milliseconds < 0 else milliseconds}
    answer, _steps = _result.pop(), None
    if _is_final:
        _is_final = False
        try:
            _end_modules()
        finally:
            _host_loop.end_run()
            _flush()
    return answer


_steps = None
# Whether the run that has ended was a whole program.
_is_final = False
_result = []
_ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes))


def _run(source, filename, inputs, records, finalize, wants_value):
    """The steps of a run: gives the milliseconds that it waits at most whenever it waits for the host. Its answer is left in _result."""
    program = None
    try:
        try:
            namespace = sys.modules["__main__"].__dict__
            namespace.update(inputs if records is None else _values.decode(inputs, records, _host.borrow))
            codes = _compile(source, filename, wants_value)
            value = None
            if any(code.co_flags & _COROUTINE for code in codes):
                program = _in_loop(codes, namespace)
                if _host.waits or not _EventLoopAdapter.functions:
                    value, stop = _session_loop().run(program)
                else:
                    value, stop = yield from _in_steps(program)
                if stop is not None:
                    raise stop
            else:
                for code in codes:
                    value = eval(code, namespace)
            if type(value) in _ATOMS:
                answer = {"end": "value", "value": value}
            else:
                content, records = _values.encode(value)
                answer = {"end": "encoded", "value": content, "records": records}
        except SystemExit as error:
            answer = {"end": "exit", "status": _exit_status(error.code)}
        except BaseException as error:
            answer = _describe(error)
    finally:
        if program is not None:
            _end(program)
        if finalize:
            _finalize()
        _host_loop.end_run()
        _flush()
    _result[:] = (answer,)


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


def _compile(source, filename, wants_value):
    """One or two pieces of code; the value of the last is the value of the run."""
    # Not str.splitlines: a form feed ends no line of Python.
    lines = io.StringIO(source, None).readlines()
    linecache.cache[filename] = (len(source), None, lines, filename)
    if len(lines) == 1 and wants_value and (code := _lone_expression(source, filename)):
        return (code,)
    try:
        return _pieces(source, filename, wants_value)
    except SyntaxError as error:
        # What is found in a tree has a place, but not the text that stands there.
        if error.text is None and error.filename == filename and 0 < (error.lineno or 0) <= len(lines):
            error.text = lines[error.lineno - 1]
        raise


def _pieces(source, filename, wants_value):
    if not wants_value:
        return (compile(source, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True),)
    tree = compile(source, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    codes = []
    future = 0
    if tree.body or last is None:
        code = compile(tree, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        codes.append(code)
        future = code.co_flags & _FUTURE_FLAGS
    if last is not None:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | future
        codes.append(compile(last, filename, "eval", flags, dont_inherit=True))
    return codes


def _lone_expression(source, filename):
    """Its code without the way through a syntax tree, which takes twice as long; None for whatever may not be one.

    Leading blanks mean something else here, and a backslash may bring a warning that must not come twice.
    """
    if source[0].isspace() or "\\" in source or ";" in source:
        return None
    try:
        return compile(source, filename, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError:
        return None


_FUTURE_FLAGS = 0
for _name in __import__("__future__").all_feature_names:
    _FUTURE_FLAGS |= getattr(__import__("__future__"), _name).compiler_flag


_COROUTINE = 0x80


def wait_for(coroutine):
    """Runs a coroutine of the top level in the session's own event loop, which outlives the run."""
    try:
        return _session_loop().run(coroutine)
    finally:
        _end(coroutine)


def _end(coroutine):
    """Nothing of a coroutine may go on in the next run when something else has ended this one: then the loop ends as that of asyncio.run() does, with all of its tasks."""
    global _loop_runner
    if coroutine.cr_frame is None:
        return
    runner, _loop_runner = _loop_runner, None
    try:
        if runner is not None:
            runner.close()
    except BaseException:
        pass
    try:
        coroutine.close()
    except BaseException:
        pass


def _session_loop():
    global _loop_runner
    if _loop_runner is None:
        import asyncio

        _loop_runner = asyncio.Runner()
    return _loop_runner


def _in_steps(coroutine):
    """What Runner.run() does, where nobody can wait for the host: the loop is left when it has to, with how many milliseconds it may wait."""
    from asyncio import CancelledError
    from functools import partial
    from signal import SIGINT, default_int_handler, getsignal, signal

    runner = _session_loop()
    loop = runner.get_loop()
    task = loop.create_task(coroutine, context=runner._context)
    task.add_done_callback(lambda _: loop.stop())
    runner._interrupt_count = 0
    handler = None
    if getsignal(SIGINT) is default_int_handler:
        handler = partial(runner._on_sigint, main_task=task)
        signal(SIGINT, handler)
    try:
        while not task.done():
            if (milliseconds := _host_loop.run_step(loop)) is not None:
                yield milliseconds
        return task.result()
    except CancelledError:
        if runner._interrupt_count > 0 and task.uncancel() == 0:
            raise KeyboardInterrupt
        raise
    finally:
        if handler is not None and getsignal(SIGINT) is handler:
            signal(SIGINT, default_int_handler)


def _exit_status(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code)
    try:
        print(code, file=sys.stderr)
    except BaseException:
        pass
    return 1


def _describe(error):
    global _ballast
    if isinstance(error, MemoryError):
        _ballast = None
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    return {
        "end": "error",
        "type": _cut(str(name), 256),
        "message": _text_of(error),
        "traceback": _traceback_of(error),
    }


def _text_of(error):
    try:
        return _cut(str(error), _TEXT_LIMIT)
    except BaseException as inner:
        return f"<the message could not be made: {type(inner).__name__}>"


def _traceback_of(error):
    """The standard report, without the frames that lead from the host to the guest's own code."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OWN):
        frame = frame.tb_next
    try:
        report = traceback.TracebackException(type(error), error, frame, compact=True)
        _leave_out_calls(report)
        return _cut("".join(report.format(colorize=False)), _TRACEBACK_LIMIT)
    except BaseException as inner:
        return f"{type(error).__name__}: <the traceback could not be made: {type(inner).__name__}>\n"


def _leave_out_calls(report):
    """How a call reaches the host is nobody's business: a function of the host looks like one that is written in C."""
    reports = [report]
    while reports:
        report = reports.pop()
        report.stack[:] = [frame for frame in report.stack if not frame.filename.startswith(_CALLS)]
        reports += filter(None, (report.__cause__, report.__context__, *(report.exceptions or ())))


def _cut(text, limit):
    text = str.__str__(text)
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n[... {len(text) - limit} characters left out ...]\n{text[-(limit // 2) :]}"


def _finalize():
    """What CPython does when a program ends (Py_FinalizeEx), as far as it has an effect that can be seen. The rest is done when the run's frame is gone: until then that holds what the program has made."""
    global _loop_runner, _is_final
    import atexit

    runner, _loop_runner = _loop_runner, None
    if runner is not None:
        # As asyncio.run() does, before anything else ends.
        runner.close()
    atexit._run_exitfuncs()
    _is_final = True


class _Witness:
    """Is there as long as the namespace that it stands in, to which nothing can refer weakly."""


def _end_modules():
    """The modules that are not the library's, and __main__ above all, as in finalize_modules(): files are closed, and `__del__` runs. The next run finds an empty __main__."""
    from _weakref import ref

    # First as in Py_FinalizeEx, while all is there. It also brings files, of which the layers were made inside out, into the order to close them.
    gc.collect()
    modules = sys.modules
    main = modules.pop("__main__", None)
    witness = _Witness()
    if isinstance(main, types.ModuleType):
        witness.names = main.__dict__
        main.__dict__[""] = witness
    witness = ref(witness)
    for name, module in list(modules.items()):
        if isinstance(module, types.ModuleType) and not str(module.__dict__.get("__file__", _LIBRARY)).startswith(_LIBRARY):
            del modules[name]
    _begin_main()
    del main, module
    # A namespace and all that refers to it is one cycle, in which `__del__` still finds its names.
    gc.collect()
    if witness() is not None:
        # Something in the library refers to it: then its values go one by one (_PyModule_ClearDict).
        names = witness().names
        for private in (True, False):
            for name in [name for name in names if name != "__builtins__"]:
                if not private or (name[:1] == "_" and name[1:2] != "_"):
                    names[name] = None
        del names
        gc.collect()


def _flush():
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except BaseException:
            pass


class _EventLoopAdapter:
    """Finds asyncio's selector loop, takes away its wake-up socket pair, and lets it wait for the host.

    There are no threads and no signals that could wake a sleeping loop, and no sockets to do it with.
    """

    functions = False

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "asyncio.selector_events":
            return None
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            loop = module.BaseSelectorEventLoop
            loop._make_self_pipe = loop._close_self_pipe = lambda self: None
            loop._write_to_self = lambda self: None
            initialize = loop.__init__

            def __init__(self, selector=None):
                initialize(self, selector)
                if _EventLoopAdapter.functions:
                    selector = self._selector
                    selector.select = _host_loop.selecting(self, selector.select)

            loop.__init__ = __init__

        spec.loader.exec_module = exec_module
        return spec


class _MissingModules:
    """The last finder: has nothing, and lets the kernel see what was asked for, so that the host can say what would allow it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None:
            try:
                _stat(f"/dev/sandboa/{name}")
            except (OSError, ValueError):
                pass
        return None


_stat = os.stat
sys.meta_path.insert(0, _EventLoopAdapter)
sys.meta_path.append(_MissingModules)

_ACTIONS = {"compile": compile_library, "prepare": prepare, "renew": renew, "equip": equip, "run": run, "resume": resume}
