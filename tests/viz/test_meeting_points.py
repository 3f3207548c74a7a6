"""Receivers and minus the senders as points: each receiver is joined to its nearest sender, and sources are counted."""

from crn_lib.viz import describe, draw_meeting_points
from crn_lib.viz.contrast import PAPER, contrast

RECEIVERS = [(0.0, 0.0), (1.0, 0.0), (2.0, 2.0)]
MINUS_SENDERS = [(9.0, 9.0), (0.1, 0.0), (1.1, 0.0), (2.0, 2.5), (5.0, 5.0)]


def test_a_line_runs_from_each_receiver_to_its_nearest_sender_and_sources_are_counted() -> None:
    figure = draw_meeting_points(RECEIVERS, MINUS_SENDERS, [1, 2, 4], "<abc|", 0.375)
    lines, others, senders, receivers = figure.data
    assert list(lines.x) == [0.0, 0.1, None, 1.0, 1.1, None, 2.0, 5.0, None]
    assert list(lines.y) == [0.0, 0.0, None, 0.0, 0.0, None, 2.0, 5.0, None]
    assert list(senders.text) == ["a", "b", "c"] == list(receivers.text)
    assert (list(others.x), list(senders.x)) == ([9.0, 5.0], [0.1, 1.1, 2.0])  # BOS and SEP have no letter
    assert figure.layout.title.text.startswith("The nearest sender is the source for 2 of 3 letters")
    assert "38% of the variance" in describe(figure)


def test_receivers_may_have_labels_of_their_own() -> None:
    figure = draw_meeting_points(RECEIVERS, MINUS_SENDERS, [1, 2, 4], "<abc|", 0.375, ["a→b", "b→c", "c"])
    assert list(figure.data[-1].text) == ["a→b", "b→c", "c"]


def test_senders_elsewhere_can_be_seen_and_like_panels_have_one_range() -> None:
    figure, farther = (
        draw_meeting_points(RECEIVERS, [(far, far), *MINUS_SENDERS[1:]], [1, 2, 4], "<abc|", 0.375)
        for far in (6.1, 6.4)
    )
    assert contrast(figure.data[1].marker.color, PAPER) >= 3
    assert figure.layout.xaxis.range == farther.layout.yaxis.range and figure.layout.xaxis.range[1] == 7.5
