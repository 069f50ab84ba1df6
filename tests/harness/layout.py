"""Where the nodes of a graph lie: nothing may hide anything, and every node has its group."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

TITLE_PX = 30
"""The bar above a node's ``pos``, in both render modes."""


@dataclass(frozen=True)
class Box:
    """A node with its title, or a group, in canvas pixels."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """True where the two share an area; a common edge is none."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: Box) -> bool:
        """True where ``other`` lies wholly inside."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom


def node_boxes(graph: dict[str, Any]) -> list[Box]:
    """The nodes of a saved graph, at the sizes that the frontend wrote."""
    return [node_box(f"{node['id']} {node['type']}", node["pos"], node["size"]) for node in graph["nodes"]]


def node_box(name: str, pos: list[float], size: list[float]) -> Box:
    """A node from what the frontend calls its position and size: both leave the title out."""
    (left, top), (width, height) = pos, size
    return Box(name, left, top - TITLE_PX, left + width, top + height)


def group_boxes(graph: dict[str, Any]) -> list[Box]:
    """The groups of a saved graph."""
    return [group_box(group["title"], group["bounding"]) for group in graph["groups"]]


def group_box(name: str, bounding: list[float]) -> Box:
    """A group from left, top, width and height."""
    left, top, width, height = bounding
    return Box(name, left, top, left + width, top + height)


def faults(nodes: list[Box], groups: list[Box]) -> list[str]:
    """What is wrong with a layout, in words; empty for a tidy one."""
    said = [f"{a.name} and {b.name} overlap" for a, b in combinations(nodes, 2) if a.meets(b)]
    said += [f"the groups {a.name!r} and {b.name!r} overlap" for a, b in combinations(groups, 2) if a.meets(b)]
    return said + [f"{node.name} is in no group" for node in nodes if not any(group.holds(node) for group in groups)]


Point = tuple[float, float]
_SLOT_PX = 20
_FIRST_SLOT_PX = 14


def wires(graph: dict[str, Any]) -> list[tuple[int, int, list[Point]]]:
    """Each wire as the nodes it joins and its corners, from output over its reroute points to input."""
    nodes = {node["id"]: node for node in graph["nodes"]}
    dots = {dot["id"]: dot for dot in graph["extra"].get("reroutes", ())}
    last = {link["id"]: link["parentId"] for link in graph["extra"].get("linkExtensions", ())}
    found = []
    for link, source, output, target, slot, *_ in graph["links"]:
        start, end = nodes[source], nodes[target]
        path, dot = [_slot(end, slot, 0.0)], last.get(link)
        while dot is not None:
            path.append(tuple(dots[dot]["pos"]))
            dot = dots[dot].get("parentId")
        found.append((source, target, [*path, _slot(start, output, start["size"][0])][::-1]))
    return found


def _slot(node: dict[str, Any], slot: int, across: float) -> Point:
    return node["pos"][0] + across, node["pos"][1] + _FIRST_SLOT_PX + _SLOT_PX * slot


def hidden_wires(graph: dict[str, Any]) -> list[str]:
    """Wires that pass under a node which they do not belong to, in words."""
    boxes = dict(zip((node["id"] for node in graph["nodes"]), node_boxes(graph), strict=True))
    return [
        f"the wire from {boxes[source].name} to {boxes[target].name} passes under {box.name}"
        for source, target, path in wires(graph)
        for number, box in boxes.items()
        if number not in (source, target) and any(_crosses(a, b, box) for a, b in zip(path, path[1:], strict=False))
    ]


def _crosses(start: Point, end: Point, box: Box) -> bool:
    """Whether a straight line has a part inside a box; both axes are clipped in turn (Liang and Barsky, 1984)."""
    first, last = 0.0, 1.0
    for a, b, low, high in (
        (start[0], end[0], box.left, box.right),
        (start[1], end[1], box.top, box.bottom),
    ):
        if a == b:
            if not low < a < high:
                return False
            continue
        near, far = sorted(((low - a) / (b - a), (high - a) / (b - a)))
        first, last = max(first, near), min(last, far)
    return first < last
