"""The test of layouts sees what a user would see."""

from harness.layout import Box, faults, group_box, hidden_wires, node_box, wires

GROUP = group_box("all", [0, 0, 500, 500])


def test_a_tidy_layout_has_no_faults():
    nodes = [node_box("a", [20, 60], [200, 100]), node_box("b", [20, 190], [200, 100])]
    assert faults(nodes, [GROUP]) == []


def test_a_title_counts_as_a_part_of_the_node():
    nodes = [node_box("a", [20, 60], [200, 100]), node_box("b", [20, 189], [200, 100])]
    assert faults(nodes, [GROUP]) == ["a and b overlap"]


def test_a_node_must_lie_wholly_in_one_group():
    assert faults([node_box("a", [20, 420], [200, 100])], [GROUP]) == ["a is in no group"]
    assert faults([], [GROUP, group_box("more", [499, 0, 10, 10])]) == ["the groups 'all' and 'more' overlap"]


def test_touching_is_not_overlapping():
    assert not Box("a", 0, 0, 10, 10).meets(Box("b", 10, 0, 20, 10))


def graph(*corners):
    """Two nodes side by side, a third between them, and a wire from the first to the last over ``corners``."""
    nodes = [{"id": i, "type": "n", "pos": [300 * i, 0], "size": [100, 100]} for i in range(3)]
    dots = [{"id": i, "parentId": i - 1 if i else None, "pos": list(corner)} for i, corner in enumerate(corners)]
    extra = {"reroutes": dots, "linkExtensions": [{"id": 7, "parentId": len(dots) - 1}] if dots else []}
    return {"nodes": nodes, "links": [[7, 0, 0, 2, 0, "X"]], "extra": extra}


def test_a_wire_under_a_node_is_seen():
    assert hidden_wires(graph()) == ["the wire from 0 n to 2 n passes under 1 n"]


def test_a_wire_around_a_node_is_fine():
    assert hidden_wires(graph((120, 150), (580, 150))) == []
    assert hidden_wires(graph((120, 150), (420, 60), (580, 150))) != []


def test_a_wire_starts_at_its_output_and_ends_at_its_input():
    ((source, target, path),) = wires(graph((120, 150)))
    assert (source, target, path) == (0, 2, [(100, 14), (120, 150), (600, 14)])
