"""`mammoscope audit`: whether data are fit to train on; JSON, and a page beside it."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ml.audit.auditing import audit
from ml.audit.page import VERDICTS, markdown_page
from ml.audit.report import Verdict
from ml.control import NOBODY, Control
from ml.errors import DataError
from ml.files import replacing
from ml.manifest import BOXES, HARD, MANIFEST, read_manifest
from ml.registry import file_sha256
from ml.texts import mark, translate

if TYPE_CHECKING:
    from pathlib import Path

    from ml.audit.report import AuditReport
    from ml.manifest import Manifest


def main(
    manifest_path: Path, out: Path | None, override: str = "", *, control: Control = NOBODY
) -> None:
    """Audit a manifest, write the report, and say what must be done.

    Parameters
    ----------
    out
        The JSON report; the same as Markdown stands beside it. Written also where it is RED.
    override
        Why the data are used although something is RED; empty where they are not.

    Raises
    ------
    DataError
        Something is RED and not overridden: the first such thing, and what to do.
    """
    manifest = read_manifest(manifest_path)
    # Noted before anything is looked at: what changes meanwhile makes the report stale.
    files = files_of(manifest)
    report = audit(manifest, control=control, tables=tables_of(manifest_path))
    report = replace(report, files=files)
    if override:
        report = report.overridden(override)
    if out is not None:
        _write(out, report)
    sys.stdout.write(f"{translate(VERDICTS[report.verdict])}\n")
    for check in (*report.of(Verdict.RED), *report.of(Verdict.AMBER)):
        sys.stdout.write(f"{check.verdict.value}: {check.name}: {check.reason} {check.cure}\n")
    if not report.allows_training:
        raise DataError(
            mark(
                "These data should not be trained on ({count} red); mend them, or say with "
                "--override why they may be used."
            ),
            count=len(report.of(Verdict.RED)),
        )


def tables_of(manifest_path: Path) -> dict[str, str]:
    """The sha256 of the tables that an audit of this manifest speaks of."""
    table = manifest_path / MANIFEST if manifest_path.is_dir() else manifest_path
    return {
        path.name: file_sha256(path)
        for path in (table, table.with_name(BOXES), table.with_name(HARD))
        if path.is_file()
    }


def files_of(manifest: Manifest) -> str:
    """A sha256 over the paths, sizes and times of change of a manifest's images.

    The images' content would take as long to read as the audit. A copy of the folder that does
    not keep the times has to be audited again.
    """
    digest = hashlib.sha256()
    for row in manifest.rows:
        try:
            found = manifest.file_of(row).stat()
            state = f"{found.st_size} {found.st_mtime_ns}"
        except OSError:
            state = "absent"
        digest.update(f"{row.path}\0{state}\n".encode())
    return digest.hexdigest()


def _write(out: Path, report: AuditReport) -> None:
    text = json.dumps(report.to_json(), indent=1, allow_nan=False) + "\n"
    # Never over the JSON, whatever that is called.
    name = f"{out.name}.md" if out.suffix == ".md" else f"{out.stem}.md"
    for path, content in ((out, text), (out.with_name(name), markdown_page(report))):
        with replacing(path) as fresh:
            fresh.write_text(content, encoding="utf-8", newline="\n")
