"""What a program has set to be called at each of its steps (sys.setprofile, sys.settrace, sys.monitoring): while the runner works it is taken away."""

import sys
from itertools import repeat

get_profile, set_profile = sys.getprofile, sys.setprofile
get_trace, set_trace = sys.gettrace, sys.settrace
get_tool, get_events, set_events = sys.monitoring.get_tool, sys.monitoring.get_events, sys.monitoring.set_events

profile = trace = None
tools = events = ()


def resume():
    """The next run goes on with what the last one has set."""
    global profile, trace, tools, events
    if tools:
        # Another run may have freed one.
        for tool, event_set in zip(tools, events):
            if get_tool(tool) is not None:
                set_events(tool, event_set)
    if trace is not None:
        set_trace(trace)
    if profile is not None:
        set_profile(profile)
    profile = trace = None
    tools = events = ()
