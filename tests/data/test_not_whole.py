"""Data sets of several files: all of them, of one form, in one folder, and no others."""

from pathlib import Path

import pytest

from tests.data.written import LOADERS, ODD, refused, whole_sets, write, write_all

SETS = [(what.split(",")[0], files) for what, files in whole_sets().items()]


@pytest.fixture(params=SETS, ids=[*whole_sets()])
def whole(request: pytest.FixtureRequest) -> tuple[str, dict[str, bytes]]:
    """A source, and the files of a set of it."""
    return request.param


def names_of(files) -> str:
    return ", ".join(Path(name).name for name in files)


def test_a_file_that_is_missing_is_named_with_those_there_are(tmp_path: Path, whole) -> None:
    source, files = whole
    first, *others = files
    for missing in others:
        write_all(tmp_path, files)
        LOADERS[source](str(tmp_path))
        (tmp_path / missing).unlink()
        there = names_of(name for name in files if name != missing)
        begins = f"{(tmp_path / first).parent} must have the files {names_of(files)}; it has {there}; "
        assert refused(source, tmp_path).startswith(begins)
    write_all(tmp_path, files)
    (tmp_path / first).unlink()
    assert f"{first} " in refused(source, tmp_path)
    assert f" at or below {tmp_path}, only {', '.join(others)}; " in refused(source, tmp_path)


def test_files_of_unrelated_folders_are_no_set(tmp_path: Path, whole) -> None:
    source, files = whole
    for number, (name, held) in enumerate(files.items()):
        write(tmp_path / str(number) / name, held)
    first = (tmp_path / "0" / next(iter(files))).parent
    assert refused(source, tmp_path).startswith(f"{first} must have the files {names_of(files)}; it has ")


def test_of_several_folders_none_is_taken_unless_the_path_says_which(tmp_path: Path, whole) -> None:
    source, files = whole
    first, *_ = files
    folders = [(tmp_path / at / first).parent for at in ("new", "new/older", "old")]
    for at in ("new", "new/older", "old"):
        write_all(tmp_path / at, files)
    says = refused(source, tmp_path)
    assert says.startswith("several folders have ") and says.endswith(f"; give the path of one: {named(folders)}")
    for folder in folders:  # the second is below the first, or beside it
        LOADERS[source](str(folder))
        LOADERS[source](str(folder / Path(first).name))


def named(folders: list[Path]) -> str:
    return ", ".join(map(str, folders))


def test_a_folder_that_a_link_leads_to_as_well_is_one(tmp_path: Path, whole) -> None:
    source, files = whole
    write_all(tmp_path / "real", files)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    LOADERS[source](str(tmp_path))


def test_folders_whose_names_break_lines_do_not_break_the_message(tmp_path: Path, whole) -> None:
    source, files = whole
    first, *_, last = files
    for folder in ("a", "b"):
        write_all(tmp_path / ODD / folder, files)
    assert refused(source, tmp_path / ODD).count(r"one\nline\u2028two") == 2
    (tmp_path / ODD / "a" / last).unlink()
    assert r"one\nline\u2028two" in refused(source, tmp_path / ODD / "a")
    (tmp_path / ODD / "a" / first).unlink(missing_ok=True)
    assert r"one\nline\u2028two" in refused(source, tmp_path / ODD / "a")


def test_forms_are_not_mixed(tmp_path: Path) -> None:
    for name in ("wiki.train.raw", "wiki.valid.tokens", "test.mmap"):
        write(tmp_path / name, b"text")
    says = f"{tmp_path} must have the files wiki.train.raw, wiki.valid.raw, wiki.test.raw; it has wiki.train.raw; get "
    assert refused("wikitext103", tmp_path).startswith(says)


@pytest.mark.parametrize(
    ("source", "there", "foreign"),
    [
        ("cifar10", ["data_batch_1.bin", "data_batch_3.bin", "test_batch.bin"], "data_batch_{}.bin"),
        ("cifar5m", ["part0.npz", "part4.npz"], "part{}.npz"),
    ],
)
def test_files_of_other_names_are_no_parts(tmp_path: Path, source: str, there: list[str], foreign: str) -> None:
    files = whole_sets()[source]
    strange = {foreign.format(name): files[there[0]] for name in ("6", "X", "old", "1 (1)")}
    write_all(tmp_path, {name: files[name] for name in there} | strange)
    says = f"{tmp_path} must have the files {names_of(files)}; it has {names_of(there)}; get "
    assert refused(source, tmp_path).startswith(says)
    write_all(tmp_path, files)
    counts = [len(part.classes) for part in LOADERS[source](str(tmp_path))]
    assert sum(counts) == 4 * 6, "of the six alone"
