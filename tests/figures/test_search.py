"""The figure ``search``: what it draws, read back from its artists."""

import pytest

from rnncells.figures import search

from .made import PROTOCOL, SPACE, lines, searched


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_search_has_a_panel_per_parameter_and_pair(count):
    names = list(SPACE)[:count]
    figure = search.draw(*searched(names), PROTOCOL)
    pairs = count * (count - 1) // 2
    assert len(figure.axes) == 1 + count + pairs + (pairs > 0)


def test_search_convergence():
    ax = search.draw(*searched(["lr"]), PROTOCOL).axes[0]
    (best,) = lines(ax, "best so far")
    assert list(best.get_ydata()) == [5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Configuration", "Score (higher is better)")


def test_search_axes_follow_the_scales_of_the_space():
    _, p, lr, pair, *_ = search.draw(*searched(["p", "lr"]), PROTOCOL).axes
    assert (p.get_xscale(), p.get_xlim()) == ("linear", (1, 250))
    assert (lr.get_xscale(), lr.get_xlim()) == ("log", (1e-4, 1))
    assert (pair.get_xscale(), pair.get_yscale()) == ("linear", "log")
    assert lr.get_xlabel() == pair.get_ylabel() == "learning rate"


@pytest.mark.parametrize(
    ("low", "high", "labelled"), [(0.1, 2.0, [0.1, 1]), (0.2, 3.0, [1]), (0.2, 0.9, [0.2, 0.3])]
)
def test_search_labels_powers_of_ten_only_where_there_are_some(low, high, labelled):
    observations, optimum, surrogate = searched(["lr"])
    optimum["space"]["lr"] |= {"low": low, "high": high}
    figure = search.draw(observations, optimum, surrogate, PROTOCOL)
    figure.draw_without_rendering()
    axis = figure.axes[1].xaxis
    ticks = axis.get_major_ticks() + axis.get_minor_ticks()
    shown = sorted(tick.get_loc() for tick in ticks if tick.label1.get_text())
    shown = [place for place in shown if low <= place * 1.0001 and place <= high * 1.0001]
    assert shown[:2] == pytest.approx(labelled)


@pytest.mark.parametrize("names", [["p", "lr"], ["p", "lr", "tau"]])
def test_search_contours_have_the_earlier_parameter_across(names):
    # The surrogate grows with the earlier parameter of a pair: contours cross the panel upright.
    figure = search.draw(*searched(names), PROTOCOL)
    for ax in figure.axes[1 + len(names) : -1]:
        contours = ax.collections[0]
        filled = [path for path in contours.get_paths() if len(path.vertices)]
        low, high = ax.get_ylim()
        assert filled
        for path in filled:
            assert path.vertices[:, 1].min() == pytest.approx(low)
            assert path.vertices[:, 1].max() == pytest.approx(high)


def test_search_marks_the_optimum_and_its_bounds():
    observations, optimum, surrogate = searched(["p", "lr"], on_bound=["lr"])
    figure = search.draw(observations, optimum, surrogate, PROTOCOL)
    _, p, lr, pair, _ = figure.axes
    (star,) = [line for line in pair.get_lines() if line.get_marker() == "*"]
    assert star.get_xydata().tolist() == [[optimum["values"]["p"], optimum["values"]["lr"]]]
    assert any(set(line.get_xdata()) == {optimum["values"]["lr"]} for line in lr.get_lines())
    assert (p.get_title(), lr.get_title()) == ("", "on its bound")
    assert "On the bound of the space: learning rate" in figure.get_suptitle()
    free = search.draw(*searched(["p", "lr"]), PROTOCOL)
    assert "bound" not in free.get_suptitle()


def test_search_says_how_stable_the_optimum_is():
    observations, optimum, surrogate = searched(["p", "lr"])
    optimum["stability"]["range"] = {"p": [5, 9], "lr": [0.01, 0.01]}
    title = " ".join(search.draw(observations, optimum, surrogate, PROTOCOL).get_suptitle().split())
    assert "7 of 10 fits" in title
    assert title.endswith("sequences to learn from 5 to 9")
