from __future__ import annotations

from pathlib import Path

import pytest

from viewer.core.samples import Sample, SampleImage, caption, legend, sentence

PICTURE = Path("a.png")
MARKED = (
    SampleImage(PICTURE, 3, True, found=2, wrong=0),
    SampleImage(PICTURE, 1, True, found=1, wrong=1),
    SampleImage(PICTURE, 0, False, found=0, wrong=1),
    SampleImage(PICTURE, 0, False, found=0, wrong=0),
)
SCORED = tuple(
    SampleImage(PICTURE, int(lesion), lesion, score=score)
    for lesion, score in ((True, 0.9), (True, 0.4), (False, 0.5), (False, 0.1))
)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (
            MARKED,
            "After 500 steps: 3 of 4 lesions found, 2 false marks on 4 images.",
        ),
        (
            SCORED,
            "After 500 steps: an image with a lesion scored higher than one without in 3 of 4 "
            "comparisons.",
        ),
    ],
)
def test_a_sample_is_a_sentence(images: tuple[SampleImage, ...], said: str) -> None:
    assert sentence(Sample("any", 500, images)) == said


def test_each_picture_says_what_is_known_and_what_was_said() -> None:
    assert [caption(image) for image in (*MARKED[1:3], SCORED[0], SCORED[3])] == [
        "Known: a lesion. Found: 1 of 1; false marks: 1",
        "Known: no lesion. False marks: 1",
        "Known: a lesion. Score: 0.90",
        "Known: no lesion. Score: 0.10",
    ]


def test_marks_are_explained_where_there_are_any() -> None:
    assert "broken" in legend(Sample("detector", 1, MARKED))
    assert "broken" not in legend(Sample("classifier", 1, SCORED))
