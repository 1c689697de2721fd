"""Long lists in messages name their first items and count the others."""

from __future__ import annotations

from sync_assets.base.enumeration import some


def test_the_first_items_are_named_and_the_others_counted() -> None:
    assert some([], 2) == ""
    assert some(["a", "b"], 2) == "a, b"
    assert some(["a", "b", "c"], 2) == "a, b and 1 more"
    assert some(["x"] * 2_002, 2) == "x, x and 2,000 more"
    assert some(["- a", "- b", "- c"], 1, "\n") == "- a\nand 2 more"
