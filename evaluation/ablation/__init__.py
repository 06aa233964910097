"""What each way to an answer is worth: the same questions by all of them, right answers and time.

`ablate` asks, `report` tells; `python -m evaluation.ablation FILE` does both with an owner's own
models and questions.
"""

from evaluation.ablation.report import report
from evaluation.ablation.run import Limits, Outcome, ablate
from evaluation.ablation.scoring import is_right
from evaluation.ablation.ways import Way

__all__ = ["Limits", "Outcome", "Way", "ablate", "is_right", "report"]
