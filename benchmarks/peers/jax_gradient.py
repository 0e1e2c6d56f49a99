"""grad J by JAX: compiled reverse-mode differentiation of V backwards in time.

    python jax_gradient.py world.npz repeats

reads P, R, mu, observe, gamma, H and theta, and prints the least milliseconds and the gradient as
JSON.  Compiling is not counted.  Run by ``benchmarks/exact.py`` in an environment of its own.
"""

import json
import sys
import time

import jax
import numpy as np
from jax import numpy as jnp

jax.config.update("jax_enable_x64", True)


def main(path, repeats):
    world = np.load(path)
    H, gamma, observe = int(world["H"]), float(world["gamma"]), world["observe"]
    P, R, mu, theta = (jnp.asarray(world[name]) for name in ("P", "R", "mu", "theta"))

    def J(theta, P, R, mu):
        pi = jax.nn.softmax(theta)[observe]
        P_pi = jnp.einsum("sa,sap->sp", pi, P)
        r = jnp.einsum("sa,sap,sap->s", pi, P, R)
        V, _ = jax.lax.scan(lambda V, _: (r + gamma * P_pi @ V, None), 0 * r, length=H)
        return mu @ V

    gradient = jax.jit(jax.grad(J))
    result = gradient(theta, P, R, mu).block_until_ready()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        gradient(theta, P, R, mu).block_until_ready()
        times.append(time.perf_counter() - start)
    print(json.dumps({"ms": 1e3 * min(times), "gradient": result.tolist()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
