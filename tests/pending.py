"""Checks of chapters that prove too little, and are to be sharpened or deleted.

By chapter and name, with the reason.  The list is held both ways: ``test_proofs`` fails for a check
that is missing here, and for one that is mended, or gone, and still here.
"""

WIDE = "it passes with a whole side 10 % off"
UNSEEN = "no slip of 10 % in one of its formulas, on one side, makes it fail"

PENDING: dict[tuple[str, str], str] = {
    ("03-objective-over-trajectories", "trajectory-probability · unbiased"): UNSEEN,
    ("05-expectation-and-sampling", "large-numbers · close · m = 1, every batch"): UNSEEN,
    ("05-expectation-and-sampling", "large-numbers · close · m = 2, every batch"): UNSEEN,
    ("05-expectation-and-sampling", "large-numbers · close · m = 3, every batch"): UNSEEN,
    ("14-claims-on-trial", "one-step-more · close · its slope"): UNSEEN,
    ("14-claims-on-trial", "one-step-more · close · its slope · 2"): UNSEEN,
    ("14-claims-on-trial", "one-step-more · close · its slope · 3"): UNSEEN,
    ("14-claims-on-trial", "one-step-more · close · the trap, 5 steps and 6"): UNSEEN,
    ("14-claims-on-trial", "score-sum · identity · 2 actions, alone"): UNSEEN,
    ("14-claims-on-trial", "score-sum · identity · 3 actions, alone"): UNSEEN,
    ("14-claims-on-trial", "score-sum · identity · 4 actions, alone"): UNSEEN,
    ("14-claims-on-trial", "literal-sum · close · gradient"): UNSEEN,
    ("14-claims-on-trial", "literal-sum · close · at rest"): UNSEEN,
    ("14-claims-on-trial", "length-division · close · five steps, every group of two"): UNSEEN,
    ("14-claims-on-trial", "two-presses · close · package, p = 1/3"): UNSEEN,
    ("how-checks-work", "reinforce · unbiased · draw 0"): WIDE,
    ("how-checks-work", "reinforce · unbiased · draw 1"): WIDE,
    ("how-checks-work", "reinforce · unbiased · draw 2"): WIDE,
    ("how-checks-work", "reinforce · unbiased · a million"): UNSEEN,
    ("how-checks-work", "never-drawn · unbiased · the game without its prize"): UNSEEN,
    ("how-checks-work", "union-bound · close"): UNSEEN,
    ("how-checks-work", "best-of-seeds · unbiased · best of 1"): WIDE,
}
