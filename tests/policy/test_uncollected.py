"""Work without the search for cycles, and what it leaves behind."""

import gc

import pytest

from policy.uncollected import uncollected


def test_no_cycles_are_looked_for_inside_and_again_afterwards() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_they_are_looked_for_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="unlucky"), uncollected():
        raise ValueError("unlucky")
    assert gc.isenabled()


def test_who_looks_for_none_at_all_goes_on_so() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
