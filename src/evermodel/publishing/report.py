"""A decision as a person reads it: a page of Markdown, and an image of the differences."""

import math
from io import BytesIO

from evermodel import number
from evermodel.evaluation import statistics
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.policy import Promotion
from evermodel.publishing.promotion import Comparison, Decision, Rival, percent


def page(model: Candidate, rival: Rival | None, decision: Decision, uses: int) -> str:
    """The report in Markdown, without a title; uses: how often the test rows had been used."""
    lines = [f"{decision.reason[0].upper()}{decision.reason[1:]}."]
    if decision.comparisons:
        who = f"champion {rival.version}" if rival and rival.scores else "its baseline"
        level = decision.comparisons[0].level
        lines += [
            "",
            f"Compared with {who} on the same test rows{_together(model)}. The chance is that of getting as "
            "far ahead by luck, if it is better by no more than what is needed. It has to be below "
            f"{percent(level)} in each line: these rows had been used for {uses} such decisions, and all of "
            f"them share what a confidence of {percent(model.policy.confidence)} leaves. Intervals are for "
            "reading.",
            "",
            f"| test rows | count | {model.policy.metric} better by | 95 % interval | needed | chance | |",
            "|---|---|---|---|---|---|---|",
            *map(_row, decision.comparisons),
        ]
    if math.isfinite(model.latency):
        limit = model.policy.max_latency
        lines += [
            "",
            f"One example takes it {model.latency:.3g} times as long as the reference; {limit:g} is allowed.",
        ]
    return "\n".join(lines) + "\n"


def _together(model: Candidate) -> str:
    grouped = statistics.GROUP in model.scores.table
    return ", of which those that belong together count as one" if grouped else ""


def _row(one: Comparison) -> str:
    verdict = "yes" if one.passed else "no"
    value, low, high, needed = map(number.text, (one.value, one.low, one.high, one.needed))
    told = f"{value} | {low} … {high} | {needed} | {percent(one.chance)}"
    return f"| {one.rows} | {one.size:,} | {told} | {verdict} |"


def image(policy: Promotion, decision: Decision) -> bytes:
    """A PNG of each difference with its interval and what is needed."""
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
    axes.set(xlabel=f"{policy.metric} better by", ylim=(-0.6, len(made) - 0.4))
    stream = BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
