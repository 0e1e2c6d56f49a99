"""How fast J and its gradient are computed exactly, as ratios within one run.

Random worlds with a horizon, nothing hidden.  Compared are

* J alone in plain NumPy: no validation, V backwards and nothing else;
* ``expected_return`` and ``policy_gradient`` by the adjoint, the default route;
* ``policy_gradient`` forwards in time, on the small worlds;
* the gradient of V backwards as JAX compiles it, if PEERS names a Python that has JAX:

      python3 -m venv /tmp/peers && /tmp/peers/bin/pip install -r benchmarks/requirements.txt
      PEERS=/tmp/peers/bin/python make bench

Run with ``make bench``.  The least of several times, since other work only adds to it; milliseconds
depend on the machine, compare ratios.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from policygrad.exact import expected_return, policy_gradient
from policygrad.policies import softmax_policy
from policygrad.worlds import random_mdp

JAX = Path(__file__).resolve().parent / "peers" / "jax_gradient.py"
SIZES = ((3, 2, 10, 300), (50, 4, 50, 100), (100, 8, 100, 50), (200, 8, 100, 30), (2000, 4, 100, 3))
SMALL = 100  # states; beyond, going forwards takes seconds


def plain_J(mdp, pi):
    """J as one would write it for one world: V backwards in time."""
    P_pi = np.matmul(pi[:, None, :], mdp.P)[:, 0]
    r = (pi * np.einsum("sap,sap->sa", mdp.P, mdp.R)).sum(axis=1)
    V = np.zeros(mdp.S)
    for _ in range(mdp.horizon):
        V = r + mdp.gamma * (P_pi @ V)
    return mdp.mu @ V


def milliseconds(jobs, repeats):
    """Least time of each job, taken in turn: what else the machine does only adds to it."""
    times = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: 1e3 * min(each) for name, each in times.items()}


def measured(mdp, theta, repeats):
    """Milliseconds of everything that is ours."""
    pi = softmax_policy(theta)
    jobs = {
        "plain": lambda: plain_J(mdp, pi),
        "J": lambda: expected_return(mdp, pi),
        "gradient": lambda: policy_gradient(mdp, theta),
    }
    ms = milliseconds(jobs, repeats)
    if mdp.S <= SMALL:
        forwards = {"forwards": lambda: policy_gradient(mdp, theta, method="forwards")}
        ms |= milliseconds(forwards, 3)
    return ms


def by_jax(python, mdp, theta, repeats):
    """Milliseconds of JAX's gradient, which has to be the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "world.npz"
        arrays = dict(P=mdp.P, R=mdp.R, mu=mdp.mu, observe=mdp.observe)
        np.savez(path, theta=theta, gamma=mdp.gamma, H=mdp.horizon, **arrays)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command = [python, JAX, path, str(repeats)]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    reference = policy_gradient(mdp, theta)
    difference = np.abs(np.array(found["gradient"]) - reference).max()
    assert difference <= 1e-10 * np.abs(reference).max(), difference
    return found["ms"]


def main():
    python = os.environ.get("PEERS")
    if not python:
        print("JAX is left out: set PEERS to a Python that has it; benchmarks/exact.py says how.")
    print(" S, A, H          J, plain   J, ours   gradient   / J    forwards    JAX   ours / JAX")
    for S, A, H, repeats in SIZES:
        rng = np.random.default_rng(0)
        mdp, theta = random_mdp(rng, S, A, horizon=H, gamma=1.0), rng.normal(size=(S, A))
        ms = measured(mdp, theta, repeats)
        line = f" {f'{S}, {A}, {H}':<15} {ms['plain']:>8.2f}  {ms['J']:>8.2f}"
        line += f"   {ms['gradient']:>8.2f}  {ms['gradient'] / ms['J']:>4.1f}"
        line += f"   {ms['forwards']:>9.2f}" if "forwards" in ms else f"   {'-':>9}"
        if python:
            jax = by_jax(python, mdp, theta, repeats)
            line += f" {jax:>7.2f}   {ms['gradient'] / jax:>9.2f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
