"""Lists of screened folders as values, without files or models."""

from __future__ import annotations

from ml.distribution import Distribution, Part
from ml.mammo.codes import BreastDensity, Laterality
from ml.screen.ranking import BreastRank, Group, Placed, StudyRank, Summary, ranked
from ml.screen.worklist import WorkList


def make_rank(key: str, **changes: object) -> StudyRank:
    plain: dict[str, object] = {
        "key": key,
        "study_uid": f"1.2.{key}",
        "patient_id": f"WOMAN {key}",
        "date": "20260102",
        "synthetic": False,
        "group": Group.RANKED,
        "reasons": (),
        "breasts": (BreastRank(Laterality.RIGHT, 0.25, 0.1, None, above=False),),
        "score": 0.25,
        "probability": 0.1,
        "above": False,
        "density": BreastDensity.B,
        "images": 1,
        "refused": 0,
        "failed": 0,
        "waiting": 0,
        "places": (Placed("/a folder/ü.zip!/x.dcm", "RCC"),),
    }
    return StudyRank(**(plain | changes))  # type: ignore[arg-type]


def make_summary(**changes: object) -> Summary:
    part = Part(tuple(step / 50 for step in range(51)), 20, 10)
    plain: dict[str, object] = {
        **{"studies": 2, "images": 8, "analyzed": 6, "refused": 1, "failed": 1, "waiting": 0},
        **{"attention": 1, "above": 1, "skipped": {"other": 3}, "threshold": 0.5},
        "quantiles": tuple(step / 10 for step in range(11)),
        "bins": (*(0,) * 18, 2, 4),
        "distribution": Distribution(part, part, "the test set"),
    }
    return Summary(**(plain | changes))  # type: ignore[arg-type]


def make_worklist(*ranks: StudyRank) -> WorkList:
    """These studies in the ranked order."""
    models = {"detector": "d@1", "classifier": "c@2"}
    made = "2026-01-03T04:05:06+00:00"
    return WorkList("/a folder", models, made, 0.5, ranked(ranks), make_summary())


def make_few() -> WorkList:
    """Two studies that were not wholly analyzed and four that are ranked, by falling score."""
    attention = {"group": Group.ATTENTION, "score": None, "probability": None, "above": None}
    return make_worklist(
        make_rank("damaged", reasons=("x.dcm: The file is damaged.",), **attention),
        make_rank("partial", reasons=("LCC is missing.",), date="20240101", **attention),
        *(
            make_rank(f"{score:.1f}", score=score, probability=score / 10, above=score >= 0.5)
            for score in (0.9, 0.7, 0.3, 0.1)
        ),
    )


def make_many(count: int) -> WorkList:
    """So many studies, every tenth of which was not wholly analyzed."""
    return make_worklist(
        *(
            make_rank(
                f"{number:05}",
                date=f"20{number % 20 + 10}0{number % 9 + 1}15",
                group=Group.RANKED if number % 10 else Group.ATTENTION,
                reasons=() if number % 10 else ("LCC is missing.",),
                score=number * 7919 % count / count,
                probability=number * 7919 % count / count / 10,
            )
            for number in range(count)
        )
    )
