"""How a whole program ends (Py_FinalizeEx), as far as it has an effect that can be seen; and the `__main__` that the next one finds."""

import _signal
import atexit
import builtins
import gc
import os
import sys
import traceback
import types

from sandboa import _hooks, _report, _session_loop
from sandboa._builtins import __builtins__

_LIBRARY = os.path.dirname(os.path.dirname(__file__))


def placeless(function):
    """What of the program ends in this function warns where CPython has no frame any more: at <sys>:0."""
    code = function.__code__
    units = len(code.co_code) // 2
    # Entries without columns (InternalDocs/code_objects.md of CPython), each for at most eight units: all of it is line 0.
    table = b"".join(bytes((0xE8 | min(8, units - at) - 1, 0)) for at in range(0, units, 8))
    function.__code__ = code.replace(co_filename=_report.PLACELESS, co_firstlineno=0, co_linetable=table)
    return function


# Who handles which signal when a program begins.
signals = {number: _signal.getsignal(number) for number in range(1, _signal.NSIG)}


def begin_main():
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    main.__builtins__ = builtins
    return main


def main_module():
    """What is there, or a new one: a program may have removed it."""
    main = sys.modules.get("__main__")
    return main if isinstance(main, types.ModuleType) else begin_main()


@placeless
def end_program(ending):
    """How a whole program has ended that has given an answer, or raised what it did not catch (a list of the two, which is emptied): all steps of its end are done, whatever becomes of one, in the order of asyncio.run() and Py_RunMain()."""
    answer, failure = ending
    ending.clear()
    failure = _failure_of(_session_loop.close) or failure
    if failure is not None:
        answer = _report.ending_of_program(failure)
        failure = None
    late = _failure_of(atexit._run_exitfuncs)
    is_written = flush_output()
    late = _failure_of(_end_signals) or late
    late = _failure_of(_end_modules) or late
    if late is not None:
        return _report.ending_of(late)
    if not is_written and answer["end"] != "error":
        return {"end": "exit", "status": 120}
    return answer


def _end_signals():
    """As _PySignal_Fini(): a handler is of a program that is over."""
    for number, handler in signals.items():
        if _signal.getsignal(number) is not handler and handler is not None:
            _signal.signal(number, handler)


def _failure_of(step):
    try:
        step()
    except BaseException as error:
        return error


def flush():
    """What a run has written is the host's when it has ended."""
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        try:
            getattr(sys, name).flush()
        except BaseException:
            pass


def flush_output():
    """As flush_std_files() at the end of a program: whether all that was written has gone where it was to."""
    is_written = True
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        if stream is None or _is_closed(stream):
            continue
        try:
            stream.flush()
        except BaseException as error:
            is_written = False
            if name == "stdout":
                _ignore(error, "Exception ignored while flushing sys.stdout")
    return is_written


def _is_closed(stream):
    try:
        return bool(stream.closed)
    except BaseException:
        return False


def _ignore(error, where):
    """PyErr_FormatUnraisable()."""
    try:
        print(where + ":", file=sys.stderr)
        traceback.print_exception(type(error), error, error.__traceback__.tb_next)
    except BaseException:
        pass


class _Witness:
    """Is there as long as the namespace that it stands in, to which nothing can refer weakly."""


@placeless
def _end_modules():
    """The modules that are not the library's, and __main__ above all, as in finalize_modules(): files are closed, and `__del__` runs. The next run finds an empty __main__."""
    from _weakref import ref

    # First as in Py_FinalizeEx, while all is there. It also brings files, of which the layers were made inside out, into the order to close them.
    gc.collect()
    # finalize_modules_delete_special(); and a hook of this program is not for the next one.
    for name in ("stdin", "stdout", "stderr", "excepthook", "unraisablehook", "displayhook", "breakpointhook"):
        setattr(sys, name, getattr(sys, f"__{name}__", None))
    _hooks.taken = None
    for name in ("last_exc", "last_value", "last_type", "last_traceback"):
        sys.__dict__.pop(name, None)
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
    begin_main()
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
