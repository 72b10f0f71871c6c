"""Makes Python functions of what the host tells of its own: with true parameter lists, so that a wrong call never leaves the guest."""

from ast import literal_eval
from keyword import iskeyword

from sandboa import _host, _host_loop

# Source -> what makes a function of it: many handles are of one kind.
_factories = {}

_SYNC = """\
{i}try:
{i}    {p}request = {p}dumps({given}, 4) + {tail}
{i}except {p}ValueError:
{i}    return {p}ask({p}CALL, {number}, {given}, {p}about)
{i}{p}answer = {p}send({p}request)
{i}if {p}answer and not {p}answer[-1]:
{i}    return {p}loads({p}answer)
{i}return {p}finish({p}answer)
"""


def make(description, token=None, place=None):
    """The function of a description: of a number that `token` holds; or, with a place, a method whose numbers are the instance's."""
    _, name, doc, parameters, returns, is_async, streams, number = description
    _check(name, *(parameter[0] for parameter in parameters))
    prefix = "_"
    while any(parameter[0].startswith(prefix) for parameter in parameters):
        prefix += "_"
    declared, given, defaults = _declare(parameters, prefix, place is not None)
    p = prefix
    if place is None:
        number_text, tail = f"{p}token.number", f"{p}tail"
    else:
        number_text, tail = f"{p}self._host_numbers[{place}]", f"{p}self._host_tails[{place}]"
    fields = {"p": p, "given": given, "tail": tail, "number": number_text}
    defaults_text = "".join(f", {p}default{index}" for index in range(len(defaults)))
    call = f"{p}call({p}CALL, {number_text}, {given}, {p}about)"
    lines = [
        f"def {p}make({p}host, {p}loop, {p}token, {p}tail, {p}about, {p}streams{defaults_text}):",
        f"    {p}dumps, {p}loads, {p}send = {p}host.dumps, {p}host.loads, {p}host.sandboa._host_call",
        f"    {p}ask, {p}finish, {p}CALL = {p}host.ask, {p}host.finish, {p}host.CALL",
        f"    {p}ValueError = {p}host.builtins.ValueError",
        f"    {p}call, {p}running_loop = {p}loop.call, {p}loop.running_loop",
        f"    def {name}({declared}):",
        _SYNC.format(i=" " * 8, **fields).rstrip(),
        f"    {p}sync = {name}",
        f"    async def {name}({declared}):",
        f"        return await {call}",
        f"    {p}aio = {name}",
    ]
    if streams:
        lines += [f"    def {name}({declared}):", f"        return {p}streams({number_text}, {given}, {p}about)"]
    elif is_async:
        lines += [
            f"    async def {name}({p}number, {p}given):",
            f"        return await {p}call({p}CALL, {p}number, {p}given, {p}about)",
            f"    {p}coroutine = {name}",
            f"    {p}coroutine.__qualname__ = '{name}'",
            f"    def {name}({declared}):",
            f"        if {p}running_loop() is not None:",
            f"            return {p}coroutine({number_text}, {given})",
            _SYNC.format(i=" " * 8, **fields).rstrip(),
        ]
    else:
        lines += [f"    def {name}({declared}):", _SYNC.format(i=" " * 8, **fields).rstrip()]
    lines.append(f"    return {name}, {p}sync, {p}aio")
    source = "\n".join(lines)
    factory = _factories.get(source)
    if factory is None:
        namespace = {}
        exec(compile(source, "<host>", "exec", dont_inherit=True), namespace)
        factory = _factories[source] = namespace[f"{p}make"]
    tail_bytes = None if place is not None else _host.trailer(_host.CALL, number)
    about = (name, [parameter[0] for parameter in parameters])
    made = factory(_host, _host_loop, token, tail_bytes, about, _stream, *defaults)
    annotations = {parameter[0]: parameter[1] for parameter in parameters}
    annotations["return"] = f"Iterator[{returns}]" if streams else returns
    for function in made:
        function.__doc__ = doc or None
        function.__annotations__ = dict(annotations)
        function.__module__ = "host"
        function.__qualname__ = name
    function, sync, aio = made
    function.sync = sync
    function.aio = aio
    return made


def _stream(*call):
    from sandboa import _host_stream

    return _host_stream.Stream.of_call(call)


def _check(*names):
    for name in names:
        if type(name) is not str or not name.isidentifier() or iskeyword(name):
            raise ImportError("the host offers something by a name that is none")


def _declare(parameters, prefix, is_method):
    """The text of a parameter list, the text of the tuple of arguments, and the values of defaults."""
    declared = [f"{prefix}self"] if is_method else []
    defaults = []
    positional_only = sum(parameter[2] == "positionalOnly" for parameter in parameters)
    if is_method and positional_only == 0:
        declared.append("/")
    starred = optional = False
    for index, (name, _, kind, default, is_optional) in enumerate(parameters):
        if kind == "positionals":
            declared.append(f"*{name}")
            starred = True
            continue
        if kind == "keywords":
            declared.append(f"**{name}")
            continue
        if kind == "keywordOnly" and not starred:
            declared.append("*")
            starred = True
        # A required parameter behind an optional one: the host says what is missing.
        optional = is_optional or (optional and not starred)
        if optional:
            declared.append(f"{name}={prefix}default{len(defaults)}")
            defaults.append(_default(default))
        else:
            declared.append(name)
        if index + 1 == positional_only:
            declared.append("/")
    given = "".join(f"{parameter[0]}, " for parameter in parameters)
    return ", ".join(declared), f"({given})", defaults


def _default(text):
    try:
        return ... if text is None else literal_eval(text)
    except (ValueError, SyntaxError):
        return ...
