"""The verbs of the Makefile, of its help, and of what is written about them."""

import re
import subprocess

from engines.config import REPOSITORY

MAKEFILE = (REPOSITORY / "Makefile").read_text()
FROM_THE_COMMAND_LINE = {"ARGS", "GPU", "RUNTIME", "UPGRADE"}
VERBS = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))


def test_help_lists_every_verb() -> None:
    assert set(re.findall(r"^  make ([a-z-]+) ", _make("help"), re.MULTILINE)) == VERBS


def test_every_verb_is_one_even_beside_a_file_of_its_name() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", _make("--print-data-base", "help"), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == VERBS


def _make(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout


def test_every_variable_that_is_used_is_set() -> None:
    used = set(re.findall(r"\$\(([A-Z_]+)\)", MAKEFILE)) - {"MAKEFILE_LIST", *FROM_THE_COMMAND_LINE}
    assert used <= set(re.findall(r"^([A-Z_]+) [?:]?=", MAKEFILE, re.MULTILINE))


def test_no_page_names_a_verb_that_is_not_there() -> None:
    pages = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), REPOSITORY / "Dockerfile.gpu"]
    sources = [path for top in ("engines", "server") for path in (REPOSITORY / top).rglob("*.py")]
    for path in [*pages, *sources]:
        named = set(re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")))
        assert named <= VERBS, path


def test_the_recipes_that_can_be_resumed_are_given_what_was_asked_for() -> None:
    lines = _make("--dry-run", "starter", "ARGS=--resume").splitlines()
    recipes = [line.partition("train_starter.")[2].split() for line in lines if "-m" in line]
    resumed = {recipe[0] for recipe in recipes if "--resume" in recipe}
    assert resumed == {"stt", "llm", "tts", "nmt"}
