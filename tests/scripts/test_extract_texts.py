import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import extract_texts  # noqa: E402 the path comes first


def test_the_template_for_translators_has_every_text_as_it_is_now():
    kept = extract_texts.TEMPLATE.read_text(encoding="utf-8")
    assert kept == extract_texts.template_text(), "run scripts/extract_texts.py"


def test_texts_of_both_halves_are_found():
    text = extract_texts.template_text()
    assert 'msgid "Research use only. Not a medical device."' in text
    assert 'msgid "{name}: too few to tell' in text.replace('msgid ""\n"', 'msgid "')


def test_texts_are_found_within_an_f_string_and_over_several_lines():
    source = (
        'f"{translate(mark(\'One\'))}"\nmark("two " "and three")\ntranslate(name)\nmark("")'
        '\nmark("Place", "in a row")\ncounted("{n} day", "{n} days", n)'
    )
    assert set(extract_texts.texts_of(source)) == {
        ("One", ""),
        ("Place", "in a row"),
        ("two and three", ""),
        (("{n} day", "{n} days"), ""),
    }
