"""A world of cells: what is felt in each, what is needed there, and how an episode walks through."""

from __future__ import annotations

from matplotlib.patches import Rectangle

from .style import EXACT, FAINT, WORLD, WRONG, Picture, axes_of, drawn, styled

__all__ = ["corridor_map"]


@drawn
def corridor_map(drawing: str, percepts, *, aliased) -> Picture:
    """Draw a map of walls, cells, dust and hamsters, with the percept written in each cell.

    Parameters
    ----------
    drawing : rows of '#' wall, '.' floor, 'D' dust, 'h' hamster.
    percepts : {(row, column): text} for the cells in which an action is taken.
    aliased : {(row, column): name} of the cells that share a percept; they are hatched.
    """
    rows = drawing.splitlines()
    figure, ax = axes_of(6.4, 6.4 * len(rows) / len(rows[0]))
    with styled():
        for y, line in enumerate(rows):
            for x, sign in enumerate(line):
                same, face = (y, x) in aliased, FAINT if sign == "#" else "white"
                look = {"hatch": "///", "edgecolor": WRONG} if same else {"edgecolor": FAINT}
                box = Rectangle((x, y), 1, 1, facecolor=face, linewidth=0.8, **look)
                ax.add_patch(box)
                if sign in "Dh":
                    what, colour = ("dust", WORLD) if sign == "D" else ("hamster", EXACT)
                    mark = {"marker": "*" if sign == "D" else "o", "color": colour}
                    ax.plot(x + 0.5, y + 0.4, markersize=17, **mark)
                    ax.text(x + 0.5, y + 0.83, what, ha="center", va="center", fontsize=9)
                elif (y, x) in percepts:
                    back = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none"}
                    text = {"ha": "center", "va": "center", "fontsize": 12, "bbox": back}
                    ax.text(x + 0.5, y + 0.5, percepts[y, x], **text)
                    if same:
                        text["bbox"] = {**back, "boxstyle": "square,pad=0.15"}
                        ax.text(x + 0.14, y + 0.16, f"${aliased[y, x]}$", **text)
        ax.set(xlim=(0, len(rows[0])), ylim=(len(rows), 0), aspect="equal")
        ax.axis("off")
    return Picture(figure, "the corridor, and what is felt in each cell")
