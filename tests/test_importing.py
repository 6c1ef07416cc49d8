"""Imports run without the collector, and leave it as it was; names of a package are imported once, when used."""

import gc
import sys

import pytest

from lockbots_magic.importing import without_collector


def fail():
    assert not gc.isenabled()
    raise ImportError


def test_collector_is_off_within_the_block_and_as_before_after_it():
    with pytest.raises(ImportError), without_collector():
        fail()
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_interrupt_right_behind_the_switch_leaves_the_collector_on(monkeypatch):
    def disable(switch=gc.disable):
        switch()
        raise KeyboardInterrupt

    monkeypatch.setattr(gc, "disable", disable)
    try:
        with pytest.raises(KeyboardInterrupt), without_collector():
            pass
        assert gc.isenabled()
    finally:
        gc.enable()


def test_a_late_name_is_imported_at_its_first_use_and_kept(tmp_path, monkeypatch):
    package = tmp_path / "late_package"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from lockbots_magic.importing import late_names\n__getattr__ = late_names(__name__, {'VALUE': 'home.inner'})\n"
    )
    (package / "home").mkdir()
    (package / "home" / "inner.py").write_text("VALUE = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    import late_package

    assert "late_package.home.inner" not in sys.modules
    assert late_package.VALUE is sys.modules["late_package.home.inner"].VALUE
    assert "VALUE" in vars(late_package)
    with pytest.raises(AttributeError, match="module 'late_package' has no attribute 'OTHER'"):
        late_package.OTHER  # noqa: B018
    for name in [name for name in sys.modules if name.startswith("late_package")]:
        monkeypatch.delitem(sys.modules, name)
