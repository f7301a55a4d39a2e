"""Learning without backpropagation: a PC-RNN-HC-A learns from its own corrections.

The network sees two trajectories again and again, each with its own cause. While it looks, it
corrects its state from the error of its prediction; after each presentation every weight changes by
what is at its two ends. The rule is the authors'; trajectories and rates are this example's own.
Prints how the prediction error falls. Takes about ten seconds.

    python docs/examples/local_learning.py
"""

import torch

from rnncells import PredictiveCoding
from rnncells.layers.predictive_coding import learn_locally


def main(presentations: int = 500) -> list[float]:
    """Present a circle, drawn in both directions; return the mean squared errors."""
    torch.manual_seed(0)
    angle = torch.linspace(0, 2 * torch.pi, 30)
    circle = 0.5 * torch.stack([angle.cos(), angle.sin()], -1)
    targets = torch.stack([circle, circle.flip(0)], 1)
    states, causes = torch.randn(2, 30), torch.eye(2)
    network = PredictiveCoding("PC-RNN-HC-A", 2, 30, 2, tau=4.0, alpha_x=0.1)
    errors = []
    for presentation in range(presentations):
        seen = learn_locally(network, targets, states, causes, lr_o=0.02, lr_c=0.02, lr_h=0.02)
        errors.append(seen.errors.square().mean().item())
        if presentation % 100 == 0 or presentation == presentations - 1:
            print(f"presentation {presentation + 1}: mean squared error {errors[-1]:.4f}")
    return errors


if __name__ == "__main__":
    main()
