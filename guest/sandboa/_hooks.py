"""What a program has set to be called at each of its steps (sys.setprofile, sys.settrace, sys.monitoring): while the runner works it is taken away."""

import sys

get_profile, set_profile = sys.getprofile, sys.setprofile
get_trace, set_trace = sys.gettrace, sys.settrace
get_tool, get_events, set_events = sys.monitoring.get_tool, sys.monitoring.get_events, sys.monitoring.set_events

# (profile, trace, (tool, its events) for each tool), where a program has set any.
taken = None


def resume():
    """The next run goes on with what the last one has set."""
    global taken
    if taken is None:
        return
    (profile, trace, monitored), taken = taken, None
    for tool, events in monitored:
        # Another program may have freed it.
        if get_tool(tool) is not None:
            set_events(tool, events)
    if trace is not None:
        set_trace(trace)
    if profile is not None:
        set_profile(profile)
