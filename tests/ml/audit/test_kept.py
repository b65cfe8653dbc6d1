"""A kept report is of these images, or it is made again."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import ml.train.run as running
from ml.audit.command import files_of
from ml.audit.report import AuditReport
from ml.control import NOBODY
from ml.manifest import Manifest, ManifestRow, write_manifest
from ml.train.order import TrainingOrder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """Two images, one of them elsewhere."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"a")
    (tmp_path / "b.png").write_bytes(b"b")
    rows = (ManifestRow("a.png", "p"), ManifestRow("b", "q", file=str(tmp_path / "b.png")))
    manifest = Manifest(folder, rows)
    write_manifest(manifest)
    return manifest


def test_what_the_images_are_is_told_by_their_names_sizes_and_times(
    manifest: Manifest, tmp_path: Path
) -> None:
    found = [files_of(manifest)]
    assert files_of(manifest) == found[0]
    os.utime(tmp_path / "b.png", ns=(1, 1))
    found.append(files_of(manifest))
    (manifest.folder / "a.png").write_bytes(b"other")
    found.append(files_of(manifest))
    (manifest.folder / "a.png").unlink()
    found.append(files_of(manifest))
    found.append(files_of(replace(manifest, rows=manifest.rows[:1])))
    assert len(set(found)) == 5


def test_replaced_images_are_audited_again(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audits: list[int] = []

    def audit(*_: object, tables: dict[str, str], **__: Any) -> AuditReport:
        audits.append(1)
        return AuditReport("data", 2, 2, (), tables)

    monkeypatch.setattr(running, "audit", audit)
    order = TrainingOrder(str(manifest.folder), str(tmp_path / "out"), "detector")
    report = running.look(order, NOBODY)
    assert report.files == files_of(manifest)
    running.look(order, NOBODY)
    assert len(audits) == 1
    # The tables are the same.
    (manifest.folder / "a.png").write_bytes(b"brought to another form")
    assert running.look(order, NOBODY).files == files_of(manifest) != report.files
    assert len(audits) == 2
    # A report of before images were noted is of images that nobody knows.
    kept = tmp_path / "out" / running.AUDIT
    kept.write_text(kept.read_text().replace('"files"', '"formerly"'))
    running.look(order, NOBODY)
    assert len(audits) == 3
