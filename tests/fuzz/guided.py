"""One parser under atheris, which looks for inputs that reach new code: see __main__.py.

python -m tests.fuzz.guided NAME [options of libFuzzer]
"""

import sys

import atheris

with atheris.instrument_imports(include=["server", "engines.errors"]):
    from tests.fuzz.parsers import PARSERS


if __name__ == "__main__":
    parser = PARSERS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, parser)
    atheris.Fuzz()
