"""The list of what is bundled (an SBOM): CycloneDX 1.6, as JSON.

Written by hand and not by a library: it is one page, and everything in it comes from the frozen
folder itself. The form is https://cyclonedx.org/docs/1.6/json/, checked by a test.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from bundled import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from bundled import Part

NAME = "sbom.cdx.json"
# Identifiers of https://spdx.org/licenses/, and what else distributions call them.
IDENTIFIERS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    **{name: name for name in ("Apache-2.0", "BSD-3-Clause", "MIT", "MIT-CMU", "PSF-2.0")},
}
Json = dict[str, object]


def parts_list(parts: list[Part], folder: Path, version: str, date: str) -> Json:
    """Describe a frozen folder.

    Parameters
    ----------
    folder
        What was frozen; libraries and models are hashed there, as they ship.
    date
        ISO 8601, in UTC.
    """
    program: Json = {
        "type": "application",
        "bom-ref": "mammoscope",
        "name": "Mammoscope",
        "version": version,
        "licenses": [{"license": {"id": "AGPL-3.0-or-later"}}],
    }
    components = [_component(part, folder) for part in parts] + _models(folder)
    references = [str(each["bom-ref"]) for each in components]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{version} {components}')}",
        "version": 1,
        "metadata": {"timestamp": date, "component": program},
        "components": components,
        "dependencies": [{"ref": "mammoscope", "dependsOn": references}],
    }


def write_parts_list(parts: list[Part], folder: Path, version: str, date: str) -> Path:
    """Write the list into the frozen folder, and return its path."""
    path = folder / NAME
    text = json.dumps(parts_list(parts, folder, version, date), indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _component(part: Part, folder: Path) -> Json:
    address = _address(part)
    component: Json = {
        "type": "library",
        "bom-ref": address,
        "name": part.name,
        "version": part.version,
        "purl": address,
    }
    if part.licence:
        component["licenses"] = [_licence(part.licence)]
    found = [name for name in part.files if (folder / "_internal" / name).is_file()]
    if found:
        component["components"] = [
            _file(folder / "_internal" / name, name, address) for name in found
        ]
    return component


def _file(path: Path, name: str, parent: str) -> Json:
    return {
        "type": "file",
        "bom-ref": f"{parent}#{name}",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": sha256(path)}],
    }


def _address(part: Part) -> str:
    """The package URL: https://github.com/package-url/purl-spec."""
    name = part.name.lower().replace("_", "-") if part.kind == "pypi" else part.name
    space = "debian/" if part.kind == "deb" else ""
    return f"pkg:{part.kind}/{space}{quote(name)}@{quote(part.version, safe='')}"


def _licence(said: str) -> Json:
    if " AND " in said or " OR " in said:
        return {"expression": said}
    known = IDENTIFIERS.get(said)
    return {"license": {"id": known} if known else {"name": said}}


def _models(folder: Path) -> list[Json]:
    """The models, as their cards name them, with the hash of each of their files."""
    found: list[Json] = []
    for path in sorted((folder / "_internal" / "resources" / "models").glob("*/card.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        reference = f"model:{card['name']}@{card['version']}"
        files = sorted(each for each in path.parent.rglob("*") if each.is_file())
        found.append(
            {
                "type": "machine-learning-model",
                "bom-ref": reference,
                "name": card["name"],
                "version": card["version"],
                "licenses": [{"license": {"name": card["licence"]}}],
                "components": [
                    _file(each, each.relative_to(path.parent).as_posix(), reference)
                    for each in files
                ],
            }
        )
    return found
