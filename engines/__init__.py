"""The models and the threads that own them. Nothing here knows of calls: `server` imports
`engines`, never the other way.

The variables below must be in the environment before the first OpenMP, BLAS or ggml library is
loaded, so they are set here, where every engine's import passes. An owner's own setting wins.
"""

import os

_DEFAULTS = {
    # Threads that wait must sleep. With spinning barriers, two llama.cpp threads beside one other
    # busy process made 2.6 tokens a second; with sleeping ones, 89.
    "OMP_WAIT_POLICY": "PASSIVE",
    # Each engine is given its number of threads in its configuration. What a library would start
    # on its own account, one pool for each, only takes turns away from those.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # A failed GGML_ASSERT forks a debugger, which hangs the dying process. It must die at once, so
    # that its supervisor can start it again.
    "GGML_NO_BACKTRACE": "1",
}

for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)
