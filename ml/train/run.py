"""Any training from its order: what the command line and the job process call.

It says how far it is in steps, with news

    {"stage": "detector" | "patches" | "classifier", "loss": 0.123}
    {"pack": "/out/pack"}      in the end

or those of a generator (`ml.train.generator_school`). Stopped or killed at any moment, the same
order goes on from the last checkpoint.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ml.control import NOBODY, Control
from ml.places import GENERATOR
from ml.train.order import TrainingOrder

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(spec: Mapping[str, object], control: Control = NOBODY) -> None:
    """Train what an order asks for.

    Parameters
    ----------
    spec
        `TrainingOrder.to_json`.

    Raises
    ------
    MammoError
        Where the images cannot teach it, or the folder holds another training.
    Stopped
        Where `control` ends the work.
    """
    order = TrainingOrder.from_json(spec)
    if order.role == GENERATOR:
        from ml.train.generator_command import train_generator

        train_generator(order, control)
        return
    from ml.train.command import main

    main(
        order.role,
        Path(order.manifest),
        Path(order.out),
        from_scratch=order.from_scratch,
        device=order.device,
        part=order.part,
        control=control,
    )
