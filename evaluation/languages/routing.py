"""How far a person agrees with the router, on questions that it was not trained on."""

from collections.abc import Sequence

from evaluation.languages.queries import Query
from evaluation.tables import markdown
from server.language.router import Complexity, complexity_of, read_table, route


def table(queries: Sequence[Query]) -> str:
    """Languages by complexity: agreement, and what becomes of it in the table as it is."""
    head = ["language", *(each.value for each in Complexity), "all", "tiers that differ"]
    rows = []
    for language in dict.fromkeys(query.language for query in queries):
        own = [query for query in queries if query.language == language]
        groups = [[each for each in own if each.complexity is wanted] for wanted in Complexity]
        shares = [_share(group) for group in (*groups, own)]
        rows.append([language, *shares, f"{_other_tiers(own)} of {len(own)}"])
    return markdown(head, rows)


def _share(queries: Sequence[Query]) -> str:
    hits = sum(complexity_of(each.text, each.language)[0] is each.complexity for each in queries)
    return f"{hits / len(queries):.0%} of {len(queries)}"


def _other_tiers(queries: Sequence[Query]) -> int:
    """Questions that go another way than the label would send them."""
    table = read_table()
    return sum(
        route(each.text, each.language, table).tier
        is not table.tier(each.language, each.complexity)
        for each in queries
    )
