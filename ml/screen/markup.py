"""What the parts of the report's pages share: the style, rows, figures, foreign text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Margins and edges by the direction of writing: a page may run from right to left. The plot and
# the pictures never do: the right breast hangs on the left everywhere.
STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#556070;--line:#d6dce3;--back:#fff;
--card:#f6f8fa;--blue:#1f5fa8;--red:#b3261e;--bar:#a9c4e4}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#a3adba;
--line:#39414d;--back:#14181e;--card:#1c2129;--blue:#7fb2ee;--red:#ff8a80;--bar:#3c5a80}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);
max-width:68rem;margin:0 auto 3rem;padding:0 1.2rem}
a{color:var(--blue)}
h1{font-size:1.7rem;margin:1.2rem 0 .4rem}
h2{margin-top:2.4rem;border-bottom:2px solid var(--blue);padding-bottom:.2rem}
h3{margin:0;font-size:1.05rem;overflow-wrap:anywhere}
.research{margin:0 -1.2rem;padding:.5rem 1.2rem;border-bottom:1px solid var(--line);
color:var(--red);font-weight:600}
.note,.uid,figcaption,dt{color:var(--soft)}.note{max-width:46rem}
.uid,figcaption{font-size:.85em;margin:.4rem 0 0;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem 1rem;margin:.5rem 0 1rem}
dd{margin:0;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:1rem 0;padding:.5rem 0;
border-block:1px solid var(--line)}
nav>*{white-space:nowrap}nav>span:first-child{flex:1 1 18rem;white-space:normal}
.nowhere{color:var(--soft)}
.all ol{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;padding:0;margin:.4rem 0}
.all a{white-space:nowrap;font-variant-numeric:tabular-nums}
.sides{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;align-items:flex-start}
.wide{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}
th,td{padding-block:.2rem;padding-inline:0 1rem;text-align:start;vertical-align:top;
border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft)}td.number{text-align:end}
.study{border:1px solid var(--line);border-inline-start:4px solid var(--line);border-radius:4px;
background:var(--card);padding:.8rem 1rem;margin:1rem 0;break-inside:avoid}
.study.above{border-inline-start-color:var(--blue)}
.study.attention{border-inline-start-color:var(--red)}
.place{display:inline-block;min-width:2.2rem;color:var(--soft)}
.tag{border:1px solid currentColor;border-radius:3px;padding:0 .35rem;font-size:.8em;
font-weight:400;color:var(--soft)}
.figures{margin:.2rem 0}.reasons{margin:.4rem 0;padding-inline-start:1.2rem;color:var(--red);
overflow-wrap:anywhere}
.pictures{display:flex;flex-wrap:wrap;gap:.6rem;margin-top:.5rem;direction:ltr;
width:fit-content;max-width:100%}
.pictures figure{margin:0;max-width:9rem}
.pictures img{display:block;height:9rem;max-width:100%;object-fit:contain;background:#000}
.pictures .none{display:block;width:5rem;height:9rem;border:1px dashed var(--soft)}
.plot{margin:.5rem 0 0;flex:1 1 20rem;max-width:40rem}
.plot>svg{display:block;width:100%;height:auto;font-size:12px;direction:ltr}
.plot text{fill:var(--soft)}
.plot path{fill:none;stroke-width:1.8;stroke:var(--ink)}.plot rect{fill:var(--bar)}
.plot .axis{stroke:var(--line);stroke-width:1}.plot .with,.with path{stroke-dasharray:5 3}
.plot .point{stroke:var(--red);stroke-width:1.2}
.key{white-space:nowrap;margin-inline-start:.8rem}.key svg{width:24px;height:12px}
@media screen{.study{content-visibility:auto;contain-intrinsic-size:auto 20rem}}
@media print{body{font-size:10.5pt;max-width:none;margin:0;padding:0}a{color:inherit}
h2,h2+.note{break-after:avoid}table,.scores{break-inside:avoid}
.research{margin:0;padding-inline:0}.study{padding:.4rem .8rem;margin:.6rem 0}
.study table,.pictures,.uid{margin:.2rem 0 0}.study td,.study th{padding-block:0}
.pictures img,.pictures .none{height:5.5rem}.pictures .none{width:3rem}
nav>:not(:first-child),nav~nav,.all,.jump{display:none}
.study{background:none}.bars{print-color-adjust:exact}}
"""


def row(cells: Iterable[str], tag: str = "td") -> str:
    """A row of a table; the cells are text."""
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def foreign(text: str, direction: str = "ltr") -> str:
    """Text that is not of the program, so that it does not turn what stands around it.

    Parameters
    ----------
    direction
        ``"ltr"`` for paths, UIDs, times and the names of models, whatever the page's language
        is; ``"auto"`` for what people wrote.
    """
    return f'<bdi dir="{direction}">{escape(text)}</bdi>'


def two(value: float | None) -> str:
    """A score."""
    return "" if value is None else f"{value:.2f}"


def per_cent(value: float | None) -> str:
    """A probability. Where cancer is rare, two decimals would all be nought."""
    return "" if value is None else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
