"""What a sandboxed program may know about its own box."""
