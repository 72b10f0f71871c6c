"""How a whole program ends (Py_FinalizeEx), as far as it has an effect that can be seen; and the `__main__` that the next one finds."""

import atexit
import gc
import os
import sys
import types

from sandboa import _session_loop

_LIBRARY = os.path.dirname(os.path.dirname(__file__))


def begin_main():
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__


def end_program():
    """What comes while the program's own frame is there. The rest, `end_modules`, is for when it is gone: until then that holds what the program has made."""
    # As asyncio.run() does, before anything else ends.
    _session_loop.close()
    atexit._run_exitfuncs()


class _Witness:
    """Is there as long as the namespace that it stands in, to which nothing can refer weakly."""


def end_modules():
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
