"""Pictures of one question's answers. Each stands beside the table with the same numbers."""

from flask_babel import gettext as _
from markupsafe import Markup, escape

from quizapp.questions.rules import LETTERS
from quizapp.reporting.items_rules import ItemFigures
from quizapp.web.ui import column_chart

WIDTH, HEIGHT = 360, 210
_TOP, _BOTTOM, _SIDE = 24, 28, 8


def _percent(share: float) -> int:
    return round(share * 100)


def by_third(figures: ItemFigures) -> Markup | None:
    """Who took which choice, of the best and of the worst third side by side; None when there is nothing to draw."""
    choices = [(choice, choice.upper_share, choice.lower_share) for choice in figures.choices]
    pairs = [(choice, upper, lower) for choice, upper, lower in choices if upper is not None and lower is not None]
    if not pairs:
        return None
    names = [_("未作答") if choice.index is None else LETTERS[choice.index] + (" ✓" if choice.is_right else "") for choice, _u, _l in pairs]
    said = "；".join(
        _("%(name)s 前 %(upper)s%%，后 %(lower)s%%", name=name.replace(" ✓", ""), upper=_percent(upper), lower=_percent(lower))
        for name, (_choice, upper, lower) in zip(names, pairs, strict=True)
    )
    alt = _("各选项在前三分之一和后三分之一里的占比：%(said)s", said=said)
    slot = (WIDTH - 2 * _SIDE) / len(pairs)
    bar = min(24.0, slot * 0.36)
    floor = HEIGHT - _BOTTOM
    out = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">',
        f'<path class="grid" d="M{_SIDE} {floor}H{WIDTH - _SIDE}"/>',
    ]
    for place, (name, (_choice, upper, lower)) in enumerate(zip(names, pairs, strict=True)):
        centre = _SIDE + slot * (place + 0.5)
        for cls, share, left in (("col", upper, centre - bar - 1), ("col col-2", lower, centre + 1)):
            tall = (floor - _TOP) * share
            out.append(f'<rect class="{cls}" x="{left:.1f}" y="{floor - tall:.1f}" width="{bar:.1f}" height="{tall:.1f}" rx="3"/>')
            label = f'y="{floor - tall - 6:.1f}" text-anchor="middle">{_percent(share)}</text>'
            out.append(f'<text class="vl" x="{left + bar / 2:.1f}" {label}')
        out.append(f'<text class="ax" x="{centre:.1f}" y="{HEIGHT - 9}" text-anchor="middle">{escape(name)}</text>')
    return Markup("".join([*out, "</svg>"]))  # noqa: S704 - names are escaped above


def by_rest(figures: ItemFigures) -> Markup | None:
    """How many of a hundred were right, by how many of the paper's other questions were; of the commonest length of
    paper. None when there is nothing to draw."""
    lengths: dict[int, int] = {}
    for level in figures.levels:
        lengths[level.length] = lengths.get(level.length, 0) + level.count
    length = max(lengths, key=lambda one: (lengths[one], one), default=0)
    levels = [level for level in figures.levels if level.length == length]
    if length < 2 or len(levels) > 12:
        return None
    values = [_percent(level.right_count / level.count) for level in levels]
    said = "；".join(_("%(rest)s 题 %(rate)s%%", rest=level.rest, rate=value) for level, value in zip(levels, values, strict=True))
    alt = _("按其余题答对几题看，这题答对的百分比：%(said)s", said=said)
    return column_chart(values, [_("%(number)s 题", number=level.rest) for level in levels], WIDTH, HEIGHT, "col-g", alt=alt)
