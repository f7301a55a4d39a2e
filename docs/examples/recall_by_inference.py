"""Recall by inference: which of the stored trajectories is this the beginning of?

A PC-RNN-HC-A learns six trajectories, each with a one-hot cause of its own. Every time, it starts
from another random state, so that the cause alone tells the trajectories apart. Then it is shown
the beginning of a trajectory, with noise, and not told the cause: it starts from causes that are
all equal, and corrects its states and its causes from its prediction errors while it looks at the
beginning several times. The largest cause is its answer. From that cause, and with nothing to look
at, it generates the whole trajectory.

More to look at does not always help: the correction follows what a cause does to the next step
alone, and not what it does to all later ones.

Three networks, each with trajectories of its own, are trained side by side, in about half a minute.

    python docs/examples/recall_by_inference.py [figure]
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from rnncells import PredictiveCoding
from rnncells.tasks.trajectories import synthetic

NETWORKS, TRAJECTORIES, STEPS, UNITS = 3, 6, 30, 50
FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
SHOWN = FRACTIONS.index(0.5)
PRESENTATIONS, COPIES, NOISE = 20, 10, 0.05


def trajectories() -> Tensor:
    """Draw the data set of each network, ``(S, T, trajectories, 2)``."""
    drawn = [
        synthetic(TRAJECTORIES, 20 * STEPS, seed, via_points=(6, 9))[:, ::20].swapaxes(0, 1)
        for seed in range(NETWORKS)
    ]
    return torch.stack([torch.as_tensor(data, dtype=torch.float32) for data in drawn])


def train(targets: Tensor, iterations: int) -> PredictiveCoding:
    """Learn to generate each trajectory from its cause, whatever the initial state is."""
    network = PredictiveCoding("PC-RNN-HC-A", TRAJECTORIES, UNITS, 2, tau=2.0, population=NETWORKS)
    network.reset_parameters(range(NETWORKS))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    causes = torch.eye(TRAJECTORIES).expand(NETWORKS, -1, -1)
    for iteration in range(iterations):
        states = torch.randn(NETWORKS, TRAJECTORIES, UNITS)
        # The sum over the networks: what one learns does not depend on the others.
        loss = network(targets, states, causes).errors.square().mean((1, 2, 3)).sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if iteration % 100 == 0:
            print(f"iteration {iteration}: mean squared error {loss.item() / NETWORKS:.4f}")
    return network


def observe(targets: Tensor, fraction: float) -> Tensor:
    """Return noisy copies of the first part of every trajectory."""
    seen = targets[:, : round(fraction * STEPS)].repeat(1, 1, COPIES, 1)
    return seen + NOISE * torch.randn_like(seen)


def draw(
    targets: Tensor, seen: Tensor, recalled: Tensor, course: Tensor, answers: Tensor, rates: Tensor
) -> plt.Figure:
    """Draw an observation, the causes while it is seen, and how often the answer is right.

    Args:
        targets, seen, recalled, course: of the first network: its trajectories, what it observes,
            what it generates from its answers, and the causes in the course of time.
        answers: of all networks, ``(S, observations)``, for the same observed part.
        rates: share of right answers for every observed part and network.
    """
    figure, axes = plt.subplots(2, 2, figsize=(7.2, 6.0), layout="constrained")
    (plane, causes), (rate, confusion) = axes
    colours = plt.colormaps["tab10"].colors
    right = (answers[0] == torch.arange(TRAJECTORIES).repeat(COPIES)).nonzero().flatten()
    one = int(right[0]) if len(right) else 0

    for k in range(TRAJECTORIES):
        mine = k == one % TRAJECTORIES
        plane.plot(*targets[:, k].T, color=colours[k], lw=1, alpha=1 if mine else 0.25)
    plane.plot(*recalled[:, one].T, "k--", lw=1, label="generated from the inferred cause")
    plane.plot(*seen[:, one].T, "ko", ms=3, label="observed")
    plane.set(title="Seen and recalled", xlabel="x", ylabel="y", aspect="equal")
    plane.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), frameon=False)

    time = torch.arange(1, len(course) + 1)
    for k in range(TRAJECTORIES):
        causes.plot(time, course[:, one, k], color=colours[k], lw=1)
    for presentation in range(PRESENTATIONS):
        causes.axvline(presentation * len(seen), color="0.9", lw=0.5, zorder=0)
    causes.set(
        title=f"Its causes, over {PRESENTATIONS} presentations", xlabel="step", ylabel="cause"
    )

    percent = 100 * torch.tensor(FRACTIONS)
    rate.plot(percent, rates, color="0.7", lw=1)
    rate.plot(percent, rates.mean(1), "ko-", ms=4, label=f"mean of {NETWORKS} networks")
    rate.axhline(1 / TRAJECTORIES, color="k", ls=":", label="chance")
    rate.set(
        title="Recall", xlabel="observed part (%)", ylabel="share of right answers", ylim=(0, 1.02)
    )
    rate.legend(loc=(0.05, 0.2), frameon=False)

    truth = torch.arange(TRAJECTORIES).repeat(COPIES)
    cells = torch.zeros(TRAJECTORIES, TRAJECTORIES)
    for answer in answers:
        cells.index_put_((truth, answer), torch.ones(len(truth)), accumulate=True)
    image = confusion.imshow((cells / COPIES / len(answers)).numpy(), cmap="Greys", vmin=0, vmax=1)
    confusion.set(
        title=f"Answers, {percent[SHOWN]:.0f} % observed", xlabel="inferred", ylabel="observed"
    )
    figure.colorbar(image, ax=confusion, label="share of observations")
    return figure


def main(path: Path, iterations: int = 600) -> Tensor:
    """Train, infer, print the recall rates and draw them; return the rates."""
    torch.manual_seed(0)
    targets = trajectories()
    network = train(targets, iterations)

    truth = torch.arange(TRAJECTORIES).repeat(COPIES)
    rates = torch.zeros(len(FRACTIONS), NETWORKS)
    found = []
    for k, fraction in enumerate(FRACTIONS):
        seen = observe(targets, fraction)
        network.set_rates(alpha_x=1.0, alpha_h=0.1)
        course = network.infer_causes(seen, presentations=PRESENTATIONS)
        answers = course[:, -1].argmax(-1)
        rates[k] = (answers == truth).float().mean(-1)
        found.append((seen, course, answers))
        print(
            f"{fraction:4.0%} observed: recall {rates[k].mean():.2f}, chance {1 / TRAJECTORIES:.2f}"
        )

    seen, course, answers = found[SHOWN]
    nothing = torch.full((NETWORKS, STEPS, len(truth), 2), torch.nan)
    causes = torch.nn.functional.one_hot(answers, TRAJECTORIES).float()
    with torch.no_grad():
        recalled = network(nothing, causes_0=causes).predictions
    figure = draw(targets[0], seen[0], recalled[0], course[0], answers, rates)
    figure.savefig(path, dpi=100)
    plt.close(figure)
    return rates


if __name__ == "__main__":
    torch.set_num_threads(1)  # matrices this small are not worth more
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("recall_by_inference.png"))
