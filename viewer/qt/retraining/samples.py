"""The live samples of a training: pictures with their boxes, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from ml.texts import translate
from viewer.core.samples import caption, legend, sentence
from viewer.qt.cards import label
from viewer.qt.retraining.parts import heading

if TYPE_CHECKING:
    from viewer.core.samples import Sample, SampleImage

COLUMNS, HEIGHT_PX = 2, 320


class SamplesView(QWidget):
    """Four pictures, two beside each other; a slider goes back to earlier ones.

    Hidden until there is a sample.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: tuple[Sample, ...] = ()
        self.said = label("")
        self.key = label("", "dim")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(translate("Earlier and later samples"))
        self.slider.setToolTip(translate("Earlier and later samples"))
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(self._show_at)
        self.pictures: list[QLabel] = []
        self.captions: list[QLabel] = []
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(heading(translate("What it says of images that do not teach it")))
        rows.addWidget(self.said)
        row = QHBoxLayout()
        row.addWidget(self.slider)
        rows.addLayout(row)
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        rows.addLayout(self._grid)
        rows.addWidget(self.key)
        self.hide()

    def show_samples(self, samples: tuple[Sample, ...]) -> None:
        """Show the newest, or stay where the reader went back to."""
        if samples == self._samples:
            return
        place = self.slider.value()
        newest = not self._samples or place == len(self._samples) - 1
        self._samples = samples
        self.setVisible(bool(samples))
        self.slider.setVisible(len(samples) > 1)
        last = max(len(samples) - 1, 0)
        self.slider.blockSignals(True)
        self.slider.setRange(0, last)
        self.slider.setValue(last if newest else min(place, last))
        self.slider.blockSignals(False)
        self._show_at(self.slider.value())

    def _show_at(self, place: int) -> None:
        if not self._samples:
            return
        sample = self._samples[place]
        self.said.setText(sentence(sample))
        self.key.setText(legend(sample))
        for number, image in enumerate(sample.images):
            if number == len(self.pictures):
                self._add_place(number)
            self._show_image(number, image)
        for number in range(len(self.pictures)):
            for part in (self.pictures[number], self.captions[number]):
                part.setVisible(number < len(sample.images))

    def _show_image(self, number: int, image: SampleImage) -> None:
        picture, words = self.pictures[number], caption(image)
        drawn = QPixmap(str(image.picture))
        if drawn.isNull():
            picture.setText(translate("The picture is not there any more."))
        else:
            smooth = Qt.TransformationMode.SmoothTransformation
            picture.setPixmap(drawn.scaledToHeight(HEIGHT_PX, smooth))
        picture.setAccessibleName(words)
        self.captions[number].setText(words)

    def _add_place(self, number: int) -> None:
        picture, words = QLabel(), label("", "dim")
        row, column = divmod(number, COLUMNS)
        self._grid.addWidget(picture, 2 * row, column, Qt.AlignmentFlag.AlignHCenter)
        self._grid.addWidget(words, 2 * row + 1, column)
        self.pictures.append(picture)
        self.captions.append(words)
