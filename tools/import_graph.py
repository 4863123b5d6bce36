"""Draw which room imports which, with the number of imports, as docs/architecture.md shows it.

    python tools/package_tree.py && python tools/import_graph.py docs/import-graph.svg

Imports inside functions count; those for type checkers alone do not.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click
import grimp
import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

# Columns in which few arrows cross rooms.
X = {"api": 0.05, "edge_runtime": 0.22, "models": 0.3, "evaluate": 0.45, "export": 0.6}
X |= {"cli": 0.48, "core": 0.65, "train": 0.75, "data": 0.9, "label": 0.95, "samples": 0.05}


def room(module: str) -> str:
    """The folder of a module's file."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] != "__main__" else "api"


def imports(tree: Path) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Modules of each room, and imports from room to room."""
    sys.path.insert(0, str(tree))
    graph = grimp.build_graph("asmnet", exclude_type_checking_imports=True, cache_dir=None)
    files = Counter(room(module) for module in graph.modules)
    edges: Counter[tuple[str, str]] = Counter()
    for module in sorted(graph.modules):  # the same picture each time
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            edges[room(module), room(imported)] += room(module) != room(imported)
    return files, +edges


def floors(edges: Counter[tuple[str, str]]) -> dict[str, int]:
    """How high each room stands: above all that it imports, but for the rarer side of a cycle."""
    rooms = sorted({name for pair in edges for name in pair})
    height = dict.fromkeys(rooms, 0)
    for _ in rooms:
        for (above, below), count in edges.items():
            if count > edges[below, above]:
                height[above] = max(height[above], height[below] + 1)
    return height


def draw(files: Counter[str], edges: Counter[tuple[str, str]], file: Path) -> None:
    """Rooms on their floors, arrows to what they import; cycles are red."""
    height = floors(edges)
    places = {name: (X.get(name, 0.5), floor) for name, floor in height.items()}
    figure = Figure(figsize=(9, 1.1 * (max(height.values()) + 1)), layout="constrained")
    axes = figure.subplots()
    for (above, below), count in edges.items():
        color = "tab:red" if edges[below, above] else "0.6"
        axes.add_patch(
            FancyArrowPatch(
                places[above],
                places[below],
                arrowstyle="-|>",
                mutation_scale=11,
                shrinkA=20,
                shrinkB=20,
                linewidth=0.5 + count / 12,
                color=color,
                connectionstyle="arc3,rad=0.06",
            )  # fmt: skip
        )
        x, y = (0.6 * a + 0.4 * b for a, b in zip(places[above], places[below], strict=True))
        axes.text(x, y, count, fontsize=7, color="0.3", ha="center", va="center", zorder=3)
    for name, (x, y) in places.items():
        label = f"{name}\n{files[name]} module{'s' * (files[name] > 1)}"
        box = {"boxstyle": "round,pad=0.4", "facecolor": "#eef3fb", "edgecolor": "#3b62a8"}
        axes.text(x, y, label, ha="center", va="center", fontsize=9, bbox=box, zorder=4)
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.5, max(height.values()) + 0.5))
    axes.set_axis_off()
    matplotlib.rcParams["svg.hashsalt"] = "asmnet"  # the same file each time
    figure.savefig(file, metadata={"Date": None})


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--tree", type=click.Path(path_type=Path), default=Path("build/types"))
def main(file: Path, tree: Path) -> None:
    """Write FILE, an .svg, from the package under TREE."""
    files, edges = imports(tree)
    draw(files, edges, file)
    click.echo(
        f"{file}: {sum(files.values())} modules, {sum(edges.values())} imports between packages"
    )


if __name__ == "__main__":
    main()
