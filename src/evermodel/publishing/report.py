"""A decision as a person reads it: a page of Markdown, and an image of the differences."""

import math
from io import BytesIO

from evermodel.evaluation import statistics
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.policy import Promotion
from evermodel.publishing.promotion import Comparison, Decision, Rival


def page(model: Candidate, rival: Rival | None, decision: Decision, uses: int) -> str:
    """The report in Markdown, without a title; uses: how often the test rows had been used."""
    lines = [f"{decision.reason[0].upper()}{decision.reason[1:]}."]
    if rival and decision.comparisons:
        lines += [
            "",
            f"Compared with champion {rival.version}, row by row, by the paired bootstrap{_drawn(model)}. "
            f"These rows had been used for {uses} such decisions, so that the confidence "
            f"is {decision.confidence:.3%} instead of {model.policy.confidence:.3%}; all intervals hold at "
            "once.",
            "",
            f"| test rows | count | {model.policy.metric} better by | interval | has to be above | |",
            "|---|---|---|---|---|---|",
            *map(_row, decision.comparisons),
        ]
    if math.isfinite(model.latency):
        limit = model.policy.max_latency
        lines += [
            "",
            f"One example takes it {model.latency:.3g} times as long as the reference; {limit:g} is allowed.",
        ]
    return "\n".join(lines) + "\n"


def _drawn(model: Candidate) -> str:
    grouped = statistics.GROUP in model.scores.table
    return ", which draws rows that belong together at once" if grouped else ""


def _row(one: Comparison) -> str:
    verdict = "yes" if one.passed else "no"
    bounds = f"{one.low:.4g} … {one.high:.4g}"
    return f"| {one.rows} | {one.size:,} | {one.value:.4g} | {bounds} | {one.needed:g} | {verdict} |"


def image(policy: Promotion, decision: Decision) -> bytes:
    """A PNG of each difference with its interval and what it has to be above."""
    from matplotlib.figure import Figure  # half a second, of no use where nothing is compared

    made = decision.comparisons[::-1]
    figure = Figure(figsize=(7, 1.2 + 0.4 * len(made)), layout="constrained", dpi=120)
    axes = figure.subplots()
    for place, one in enumerate(made):
        colour = "tab:blue" if one.passed else "tab:red"
        axes.plot([one.low, one.high], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
        axes.plot(one.value, place, "o", color=colour)
        axes.plot(one.needed, place, "|", color="black", markersize=18)
    axes.axvline(0, color="0.6", linewidth=0.8)
    axes.set_yticks(range(len(made)), [f"{one.rows} ({one.size:,})" for one in made])
    axes.set(xlabel=f"{policy.metric} better than the champion's by", ylim=(-0.6, len(made) - 0.4))
    stream = BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
