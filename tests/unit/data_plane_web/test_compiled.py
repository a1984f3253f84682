from pathlib import Path

from vivero_data.web.compiled import ShippedTemplates, compile_all, shipped
from vivero_data.web.render import environment


def test_templates_compiled_ahead_are_found_and_not_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "compiled"
    assert shipped(folder) is None
    count = compile_all(environment.__wrapped__(), folder)
    files = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(files) == count > 20
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in files), "pods run as another user"
    cache = shipped(folder)
    assert isinstance(cache, ShippedTemplates)
    made = environment.__wrapped__()
    made.bytecode_cache = cache
    folder.chmod(0o500)
    for name in made.list_templates(extensions=["j2"]):
        assert made.get_template(name)
    next(iter(files)).unlink()
    made = environment.__wrapped__()
    made.bytecode_cache = cache
    for name in made.list_templates(extensions=["j2"]):
        assert made.get_template(name), "a missing one is compiled, and not kept"
    assert len(list(folder.iterdir())) == count - 1
