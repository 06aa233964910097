"""All scenarios."""

from evaluation.scenarios import interruptions, lines, noises, pauses
from evaluation.scenarios.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *pauses.SCENARIOS,
    *noises.SCENARIOS,
    *interruptions.SCENARIOS,
    *lines.SCENARIOS,
)


def chosen(names: list[str]) -> list[Scenario]:
    """The scenarios whose names begin with one of these; all for none. Raises `ValueError`."""
    for name in names:
        if not any(scenario.name.startswith(name) for scenario in SCENARIOS):
            known = ", ".join(scenario.name for scenario in SCENARIOS)
            raise ValueError(f"no scenario {name!r}; there are {known}")
    return [s for s in SCENARIOS if not names or any(s.name.startswith(name) for name in names)]
