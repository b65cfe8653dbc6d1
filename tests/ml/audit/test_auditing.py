"""Whole audits of small sets: each flaw is found, and a sound set is none the worse."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from ml.audit import auditing
from ml.audit.auditing import audit
from ml.audit.command import files_of
from ml.audit.leaks import leak_checks
from ml.audit.looking import look, read_listed
from ml.audit.report import AuditReport, Check, Verdict
from ml.cli import main as run_command
from ml.control import NOBODY
from ml.hashed import name_sha256
from ml.mammo.geometry import Box
from ml.mammo.prepare import PrepareSpec
from ml.manifest import BoxRow, Label, Manifest, ManifestRow, Source, Split, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ROWS, COLUMNS = 288, 200
WOMEN = 44


def see(images: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """A network that sees a few blocks of mean gray."""
    small = [cv2.resize(image, (4, 4), interpolation=cv2.INTER_AREA) for image in images]
    return np.array(small, np.float64).reshape(len(images), -1)


def breast(seed: int, *, lesion: bool = False, blurred: bool = False) -> NDArray[np.uint8]:
    """A half ellipse with grain, a bright disc where a lesion is; blurred by another maker."""
    rng = np.random.default_rng(seed)
    r, c = np.mgrid[:ROWS, :COLUMNS]
    inside = ((r - 144) / 130) ** 2 + (c / rng.uniform(140, 175)) ** 2 < 1
    coarse = cv2.resize(
        rng.normal(0, 12, (9, 7)), (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC
    )
    grain = rng.normal(0, 6, (ROWS, COLUMNS))
    values = 110 + coarse + grain + 90 * lesion * (np.hypot(r - 144, c - 40) < 9)
    if blurred:
        values = cv2.GaussianBlur(values, (0, 0), 0.8)
    return np.where(inside, values.clip(20, 255), 0).astype(np.uint8)


def data_set(
    folder: Path, makes: Callable[[int, bool], Source], *, women: int = WOMEN, **changes: Any
) -> Manifest:
    """A woman an image, every second with a lesion; `makes` says whose image each is."""
    rows, boxes = [], []
    for number in range(women):
        lesion = number % 2 == 1
        source = makes(number, lesion)
        path = f"{number:03}.png"
        made = source is Source.GENERATED
        image = breast(number, lesion=lesion, blurred=made)
        cv2.imwrite(str(folder / path), image)
        rows.append(
            ManifestRow(
                path,
                f"p{number}",
                label=Label.MALIGNANT if lesion else Label.NORMAL,
                source=source,
                split=Split.TRAIN,
                **changes,
            )
        )
        if lesion:
            boxes.append(BoxRow(path, Box(134, 30, 155, 50)))
    manifest = Manifest(folder, tuple(rows), tuple(boxes))
    write_manifest(manifest)
    return manifest


def named(report: AuditReport, words: str) -> Check:
    (check,) = (check for check in report.checks if words in str(check.name))
    return check


@pytest.fixture(autouse=True)
def small_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty women of each answer count as enough here, on a canvas that just holds them."""
    monkeypatch.setattr("ml.audit.looking.WHOLE", PrepareSpec(rows=320, columns=256))
    monkeypatch.setattr("ml.audit.probes.patients_needed", lambda: 20)


def test_a_sound_set_is_green(tmp_path: Path) -> None:
    report = audit(data_set(tmp_path, lambda n, _: Source.REAL), see=see)
    assert report.verdict is Verdict.GREEN, [str(c.reason) for c in report.of(Verdict.RED)]
    assert (report.images, report.patients) == (WOMEN, WOMEN)
    assert named(report, "lesions hidden").figures[0].value < 0.75


def test_healthy_generated_and_lesions_real_is_red_by_table_and_by_pixels(
    tmp_path: Path,
) -> None:
    manifest = data_set(tmp_path, lambda _, lesion: Source.REAL if lesion else Source.GENERATED)
    report = audit(manifest, see=see)
    for words in ("every source", "by source", "lesions hidden", "told from pixels"):
        assert named(report, words).verdict is Verdict.RED, words
        assert named(report, words).cure
    assert named(report, "within each source").verdict is Verdict.AMBER
    # Nobody wrote down the source: the pixels still tell.
    unsaid = tuple(replace(row, source=None) for row in manifest.rows)
    alone = audit(replace(manifest, rows=unsaid), see=see)
    assert next(str(c.name) for c in alone.of(Verdict.RED)) == "lesion or none, lesions hidden"


def test_the_same_two_sources_balanced_pass(tmp_path: Path) -> None:
    makes = lambda n, _: Source.REAL if n // 2 % 2 else Source.GENERATED  # noqa: E731
    report = audit(data_set(tmp_path, makes), see=see)
    assert report.verdict is Verdict.GREEN, [str(c.reason) for c in report.checks]
    assert named(report, "told from pixels").figures[1].value > 0.9


def test_part_of_the_confound_is_told_as_part(tmp_path: Path) -> None:
    makes = lambda n, lesion: (  # noqa: E731
        Source.REAL if lesion and n % 4 == 1 else Source.GENERATED
    )
    report = audit(data_set(tmp_path, makes), see=see)
    assert report.verdict is Verdict.RED
    assert named(report, "by source").verdict is Verdict.AMBER
    assert named(report, "every source").verdict is Verdict.RED


def test_too_few_say_how_many_are_needed(tmp_path: Path) -> None:
    report = audit(data_set(tmp_path, lambda n, _: Source.REAL, women=14), see=see)
    check = named(report, "lesions hidden")
    assert check.verdict is Verdict.AMBER
    assert "Too few to tell: 7 patients" in str(check.reason)
    assert "20 patients" in str(check.cure)


def test_lesions_without_boxes_cannot_be_hidden(tmp_path: Path) -> None:
    manifest = data_set(tmp_path, lambda n, _: Source.REAL, women=8)
    report = audit(replace(manifest, boxes=()), see=see)
    assert named(report, "can be hidden").verdict is Verdict.AMBER
    assert not [check for check in report.checks if "lesions hidden" in str(check.name)]


def test_without_boxes_the_sources_are_asked_with_lesions_in_sight(tmp_path: Path) -> None:
    """Four fifths of those with a lesion are real, and one fifth of those without."""
    makes = lambda n, lesion: (  # noqa: E731
        Source.REAL if (n // 2 % 5 > 0) == lesion else Source.GENERATED
    )
    manifest = replace(data_set(tmp_path, makes), boxes=())
    report = audit(manifest, see=see)
    assert named(report, "can be hidden").verdict is Verdict.AMBER
    assert not [check for check in report.checks if "lesions hidden" in str(check.name)]
    assert named(report, "told from pixels").verdict is Verdict.RED
    assert named(report, "told by the other sources").figures
    assert named(report, "within each source").figures


def test_two_collections_are_two_sources(tmp_path: Path) -> None:
    manifest = data_set(tmp_path, lambda n, _: Source.REAL)
    rows = tuple(
        replace(row, extra={"data_set": "B" if n % 4 == 1 else "A"})
        for n, row in enumerate(manifest.rows)
    )
    report = audit(replace(manifest, rows=rows), see=see)
    assert named(report, "by data_set").verdict is Verdict.AMBER
    assert named(report, "every source").verdict is Verdict.RED
    assert "(real, A)" in str(named(report, "every source").reason)
    names = [figure.name for figure in named(report, "told by the other sources").figures]
    assert names == ["real, A", "real, B"]


def test_images_that_cannot_be_used_are_named_and_the_rest_is_audited(tmp_path: Path) -> None:
    manifest = data_set(tmp_path, lambda n, _: Source.REAL)
    (tmp_path / "003.png").write_bytes(b"no image")
    (tmp_path / "004.png").unlink()
    # It can be read, and there is no breast in it.
    cv2.imwrite(str(tmp_path / "006.png"), np.zeros((ROWS, COLUMNS), np.uint8))
    report = audit(manifest, see=see)
    check = named(report, "can be read")
    assert check.verdict is Verdict.RED
    assert "3 of 44 images cannot be used (003.png, 004.png, 006.png)" in str(check.reason)
    assert "003.png in the manifest cannot be used" in str(check.reason)
    assert [figure.value for figure in check.figures] == [44, 3]
    assert check.cure
    blind = {f.name: f.value for f in named(report, "lesions hidden").figures}
    assert blind["images"] == 41
    assert [str(c.name) for c in report.of(Verdict.RED)] == [str(check.name)]
    assert (report.images, report.patients) == (44, 44)


def test_a_set_of_which_nothing_can_be_read_says_so(tmp_path: Path) -> None:
    manifest = data_set(
        tmp_path, lambda _, lesion: Source.REAL if lesion else Source.GENERATED, women=30
    )
    for row in manifest.rows:
        (tmp_path / row.path).write_bytes(b"no image")
    report = audit(manifest, see=see)
    reason = str(named(report, "can be read").reason)
    assert "None of the 30 images can be used (000.png, " in reason
    assert "019.png, … (+10)" in reason
    # What the table says is looked at all the same.
    assert named(report, "every source").verdict is Verdict.RED
    assert named(report, "Patients in one").verdict is Verdict.GREEN


@pytest.mark.parametrize("split", [Split.VALIDATION, Split.TEST])
def test_phantoms_are_no_test_of_what_is_trained_on_patients(split: Split) -> None:
    def verdict(source: Source | None) -> Verdict:
        rows = (
            ManifestRow("a", "p", source=source, split=Split.TRAIN),
            ManifestRow("b", "q", source=Source.PHANTOM, split=Split.TRAIN),
            ManifestRow("c", "r", source=Source.PHANTOM, split=split),
        )
        (check,) = (c for c in leak_checks(rows, {}) if "No phantom" in str(c.name))
        return check.verdict

    assert verdict(Source.REAL) is Verdict.RED
    # Nobody says that it is none of a patient.
    assert verdict(None) is Verdict.RED
    assert verdict(Source.PHANTOM) is Verdict.GREEN
    assert verdict(Source.GENERATED) is Verdict.GREEN


def test_whatever_leaks_into_the_test_is_red(tmp_path: Path) -> None:
    manifest = data_set(tmp_path, lambda n, _: Source.REAL, women=12)
    rows = list(manifest.rows)
    rows[0] = replace(rows[0], split=Split.TEST)
    rows[2] = replace(rows[2], patient_id="p0")
    rows[4] = replace(rows[4], extra={"host_patient": name_sha256("p0")})
    rows[6] = replace(rows[6], split=Split.VALIDATION, source=Source.GENERATED)
    cv2.imwrite(str(tmp_path / "008.png"), breast(0)[:, ::-1])
    report = audit(replace(manifest, rows=tuple(rows)), see=see)
    for words in (
        "Patients in one",
        "No image twice",
        "No synthetic child",
        "No generated image",
    ):
        assert named(report, words).verdict is Verdict.RED, words
    assert "000.png" in str(named(report, "No image twice").reason)


def test_a_generated_lesion_without_a_label_is_a_lesion(tmp_path: Path) -> None:
    manifest = data_set(tmp_path, lambda n, _: Source.REAL, women=12)
    boxed = {box.path for box in manifest.boxes}
    rows = tuple(replace(r, label=None) if r.path in boxed else r for r in manifest.rows)
    (question,) = auditing.questions_of(replace(manifest, rows=rows))
    assert question.answers.sum() == 6
    assert len(question.rows) == 12


def test_how_bright_a_hidden_lesion_is_changes_nothing_that_is_seen(tmp_path: Path) -> None:
    """A bright one has its part in where the skin is found and in the range of grays."""
    manifest = data_set(tmp_path, lambda n, _: Source.REAL, women=2)
    row, found = manifest.rows[1], []
    for gray in (40, 130, 255):
        image = breast(1)
        image[134:155, 30:50] = gray
        cv2.imwrite(str(tmp_path / row.path), image)
        seen = look(manifest, [row], [], read_listed(manifest), see, NOBODY)
        found.append(np.concatenate([block[0] for block in seen.blocks.values()]))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_images_are_chosen_of_all_patients_in_turn() -> None:
    rows = [ManifestRow(f"{p}-{n}", p) for p in "abc" for n in range(4)]
    chosen = auditing._in_turn(rows)
    assert {row.patient_id for row in chosen[:3]} == set("abc")
    assert {row.patient_id for row in chosen[3:6]} == set("abc")
    assert auditing._in_turn(rows[::-1]) == chosen


def test_the_command_refuses_red_and_writes_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "photographs", lambda: see)
    manifest = data_set(
        tmp_path, lambda _, lesion: Source.REAL if lesion else Source.GENERATED, women=16
    )
    table, out = str(tmp_path / "manifest.csv"), tmp_path / "audit.json"
    assert run_command(["audit", table, "--json", str(out)]) == 1
    said = capsys.readouterr()
    assert "--override" in said.err
    assert "red: lesion or none, by source" in said.out
    report = AuditReport.from_json(json.loads(out.read_text()))
    assert report.verdict is Verdict.RED
    assert set(report.tables) == {"manifest.csv", "boxes.csv"}
    assert report.files == files_of(manifest)
    assert "# Audit of" in (tmp_path / "audit.md").read_text()
    given = ["audit", "--manifest", table, "--json", str(out), "--override", "to show a flaw"]
    assert run_command(given) == 0
    kept = json.loads(out.read_text())
    assert (kept["verdict"], kept["override"]) == ("red", "to show a flaw")
    assert run_command(["audit", table, "--override", "no"]) == 1
    (tmp_path / manifest.rows[3].path).write_bytes(b"no image")
    capsys.readouterr()
    assert run_command(["audit", table]) == 1
    assert "red: Images that can be read: 1 of 16 images" in capsys.readouterr().out
    assert run_command(["audit"]) == 2
