"""Source to code: the forms in which a program may come, and the expression at its end, whose value is that of the run."""

import ast
import io
import linecache

from sandboa._builtins import __builtins__


def compile_source(source, filename, wants_value):
    """One or two pieces of code; the value of the last is the value of the run."""
    # As files of Python may begin.
    source = source.removeprefix("\ufeff")
    # Not str.splitlines: a form feed ends no line of Python.
    lines = io.StringIO(source, None).readlines()
    _keep(filename, len(source), lines)
    if len(lines) == 1 and wants_value and (code := _lone_expression(source, filename)):
        return (code,)
    try:
        return _pieces(source, filename, wants_value)
    except SyntaxError as error:
        # What is found in a tree has a place, but not the text that stands there.
        if error.text is None and error.filename == filename and 0 < (error.lineno or 0) <= len(lines):
            error.text = lines[error.lineno - 1]
        raise


def _keep(filename, size, lines):
    """For tracebacks. A session may go on for ever: what it ran long ago is forgotten."""
    global _kept_size
    _kept_size += size - _kept.pop(filename, 0)
    _kept[filename] = size
    linecache.cache[filename] = (size, None, lines, filename)
    while len(_kept) > 1 and (len(_kept) > _MOST_KEPT or _kept_size > _MOST_KEPT_SIZE):
        oldest = next(iter(_kept))
        _kept_size -= _kept.pop(oldest)
        linecache.cache.pop(oldest, None)


# The size in characters of each source that tracebacks show, the oldest first.
_kept = {}
_kept_size = 0
_MOST_KEPT = 1000
_MOST_KEPT_SIZE = 1 << 20


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
